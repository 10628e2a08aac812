import type { Clock, ComplianceClient, StreamSchema } from '../../src/index.js';
import type { Checkpoints } from './checkpoints.js';
import type { LogLevel, Message } from './messages.js';
import type { Snapshot } from './state.js';

/** What the reading of one stream is given. */
export interface Reading {
  client: ComplianceClient;
  /** Organisations read at a time. */
  concurrency: number;
  /** What new states begin with; that of a state that is taken up wins. */
  snapshot: Snapshot;
  /** The state that was handed in for the stream, whatever it is. */
  state: unknown;
  checkpoints: Checkpoints;
  clock: Clock;
  signal: AbortSignal;
  send(message: Message): Promise<void>;
  log(level: LogLevel, message: string): void;
  /** Makes the sender of records: `added` are the columns that the connector knows. */
  sender(added: Readonly<Record<string, string>>): (records: readonly object[]) => Promise<void>;
}

/** One stream of this source. */
export interface SourceStream {
  schema: StreamSchema;
  /** The snapshot that a state would go on with; undefined: the stream would start over. */
  snapshotOf(state: unknown, now: number): Snapshot | undefined;
  /** Reads it to the end. @throws ComplianceError when anything is missing; what was read has been sent */
  read(reading: Reading): Promise<void>;
}
