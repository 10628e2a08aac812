import type { Failure } from '../../src/index.js';

/** The version of the Airbyte protocol that this source speaks. */
export const PROTOCOL_VERSION = '0.18.0';

/** A field of a record whose served value its column cannot hold. */
export interface FieldChange {
  field: string;
  change: 'NULLED' | 'TRUNCATED';
  reason: 'SOURCE_SERIALIZATION_ERROR';
}

export interface StreamDescriptor {
  name: string;
}

export type LogLevel = 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE';
export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';
export type FailureType = 'config_error' | 'transient_error' | 'system_error';

/** What a stream waits for; the time is in milliseconds since 1970. */
export interface RateLimited {
  type: 'RATE_LIMITED';
  rate_limited: { quota_reset: number };
}

/** What went wrong: `message` is for people. */
export interface TraceError {
  message: string;
  internal_message?: string;
  stack_trace?: string;
  failure_type: FailureType;
  stream_descriptor?: StreamDescriptor;
}

/** The state of a stream; opaque to everybody but this source. */
export type StreamState = Readonly<Record<string, unknown>>;

/** The messages of the Airbyte protocol that a source writes, one a line of stdout; RECORD is in `record-lines`. */
export type Message =
  | {
      type: 'SPEC';
      spec: { protocol_version: string; documentationUrl: string; connectionSpecification: object };
    }
  | { type: 'CONNECTION_STATUS'; connectionStatus: { status: 'SUCCEEDED' | 'FAILED'; message?: string } }
  | { type: 'CATALOG'; catalog: { streams: readonly object[] } }
  | {
      type: 'STATE';
      state: {
        type: 'STREAM';
        stream: { stream_descriptor: StreamDescriptor; stream_state: StreamState };
        sourceStats: { recordCount: number };
      };
    }
  | { type: 'LOG'; log: { level: LogLevel; message: string } }
  | { type: 'TRACE'; trace: { type: 'ERROR'; emitted_at: number; error: TraceError } }
  | {
      type: 'TRACE';
      trace: {
        type: 'STREAM_STATUS';
        emitted_at: number;
        stream_status: {
          stream_descriptor: StreamDescriptor;
          status: StreamStatus;
          reasons?: readonly RateLimited[];
        };
      };
    }
  | {
      type: 'TRACE';
      trace: {
        type: 'ESTIMATE';
        emitted_at: number;
        estimate: { name: string; type: 'STREAM'; row_estimate: number };
      };
    };

export const log = (level: LogLevel, message: string): Message => ({ type: 'LOG', log: { level, message } });

export const traceError = (error: TraceError): Message => ({
  type: 'TRACE',
  trace: { type: 'ERROR', emitted_at: Date.now(), error },
});

export const streamStatus = (name: string, status: StreamStatus, reason?: RateLimited): Message => ({
  type: 'TRACE',
  trace: {
    type: 'STREAM_STATUS',
    emitted_at: Date.now(),
    stream_status: { stream_descriptor: { name }, status, ...(reason && { reasons: [reason] }) },
  },
});

export const estimate = (name: string, rows: number): Message => ({
  type: 'TRACE',
  trace: { type: 'ESTIMATE', emitted_at: Date.now(), estimate: { name, type: 'STREAM', row_estimate: rows } },
});

export const failureType = (failure: Failure): FailureType => `${failure}_error`;
