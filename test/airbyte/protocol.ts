import { z } from 'zod';

/**
 * The messages of the Airbyte protocol as far as a source writes them, each with the payload of its type and nothing
 * beside it. Written from the protocol's description; the real clients' own models check every line a second time.
 */

const descriptor = z.strictObject({ name: z.string().min(1) });
const emitted_at = z.int().min(Date.UTC(2025, 0, 1));

const record = z.strictObject({
  stream: z.string().min(1),
  data: z.record(z.string(), z.unknown()),
  emitted_at,
  meta: z
    .strictObject({
      changes: z
        .array(
          z.strictObject({
            field: z.string(),
            change: z.enum(['NULLED', 'TRUNCATED']),
            reason: z.enum([
              'SOURCE_RECORD_SIZE_LIMITATION',
              'SOURCE_FIELD_SIZE_LIMITATION',
              'SOURCE_SERIALIZATION_ERROR',
              'SOURCE_RETRIEVAL_ERROR',
            ]),
          }),
        )
        .min(1),
    })
    .optional(),
});

const state = z.strictObject({
  type: z.literal('STREAM'),
  stream: z.strictObject({ stream_descriptor: descriptor, stream_state: z.record(z.string(), z.unknown()) }),
  sourceStats: z.strictObject({ recordCount: z.int().min(0) }),
});

const error = z.strictObject({
  message: z.string().min(1),
  internal_message: z.string().optional(),
  stack_trace: z.string().optional(),
  failure_type: z.enum(['config_error', 'transient_error', 'system_error']),
  stream_descriptor: descriptor.optional(),
});

const streamStatus = z.strictObject({
  stream_descriptor: descriptor,
  status: z.enum(['STARTED', 'RUNNING', 'COMPLETE', 'INCOMPLETE']),
  reasons: z
    .array(
      z.strictObject({
        type: z.literal('RATE_LIMITED'),
        rate_limited: z.strictObject({ quota_reset: z.int() }),
      }),
    )
    .min(1)
    .optional(),
});

const trace = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ERROR'), emitted_at, error }),
  z.strictObject({ type: z.literal('STREAM_STATUS'), emitted_at, stream_status: streamStatus }),
  z.strictObject({
    type: z.literal('ESTIMATE'),
    emitted_at,
    estimate: z.strictObject({
      name: z.string(),
      type: z.enum(['STREAM', 'SYNC']),
      row_estimate: z.int().min(0),
    }),
  }),
]);

const stream = z.strictObject({
  name: z.string().min(1),
  json_schema: z.record(z.string(), z.unknown()),
  supported_sync_modes: z.array(z.enum(['full_refresh', 'incremental'])).min(1),
  source_defined_cursor: z.boolean(),
  source_defined_primary_key: z.array(z.array(z.string()).min(1)).min(1),
  is_resumable: z.boolean(),
});

export const message = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('RECORD'), record }),
  z.strictObject({ type: z.literal('STATE'), state }),
  z.strictObject({
    type: z.literal('LOG'),
    log: z.strictObject({
      level: z.enum(['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE']),
      message: z.string().min(1),
    }),
  }),
  z.strictObject({
    type: z.literal('SPEC'),
    spec: z.strictObject({
      protocol_version: z.string().regex(/^\d+\.\d+\.\d+$/),
      documentationUrl: z.url(),
      connectionSpecification: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({
    type: z.literal('CONNECTION_STATUS'),
    connectionStatus: z.strictObject({
      status: z.enum(['SUCCEEDED', 'FAILED']),
      message: z.string().min(1).optional(),
    }),
  }),
  z.strictObject({
    type: z.literal('CATALOG'),
    catalog: z.strictObject({ streams: z.array(stream).min(1) }),
  }),
  z.strictObject({ type: z.literal('TRACE'), trace }),
]);

export type Message = z.output<typeof message>;

/** Every line of an output; throws at the first that is no message. */
export function parseLines(text: string): Message[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error('The last line was not ended.');
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => message.parse(JSON.parse(line)));
}

type Payload<T extends Message['type']> = Extract<Message, { type: T }>;

/** The messages of one type. */
export const only = <T extends Message['type']>(messages: readonly Message[], type: T): Payload<T>[] =>
  messages.filter((message): message is Payload<T> => message.type === type);

export const records = (messages: readonly Message[], stream: string) =>
  only(messages, 'RECORD')
    .map(({ record }) => record)
    .filter((record) => record.stream === stream);

export const states = (messages: readonly Message[], stream: string) =>
  only(messages, 'STATE')
    .map(({ state }) => state)
    .filter((state) => state.stream.stream_descriptor.name === stream);

export const logs = (messages: readonly Message[], level: string): string[] =>
  only(messages, 'LOG')
    .filter(({ log }) => log.level === level)
    .map(({ log }) => log.message);

export const errors = (messages: readonly Message[]) =>
  only(messages, 'TRACE').flatMap(({ trace }) => (trace.type === 'ERROR' ? [trace.error] : []));

export const statuses = (messages: readonly Message[], stream: string) =>
  only(messages, 'TRACE').flatMap(({ trace }) =>
    trace.type === 'STREAM_STATUS' && trace.stream_status.stream_descriptor.name === stream
      ? [trace.stream_status]
      : [],
  );
