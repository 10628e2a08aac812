import { ComplianceError, ConfigError, SinkError } from '../errors.js';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { arrow } from './arrow.js';
import { csv } from './csv.js';
import { gunzip } from './gzip.js';
import type { FileContent } from './inspect.js';
import { ndjson } from './ndjson.js';
import { parquet } from './parquet.js';
import type { Sink, SinkFormat, SinkOptions } from './sink.js';

/** Every format that files can be written in; a new one is a file and a line. */
export const sinkFormats: readonly SinkFormat[] = [parquet, ndjson, csv, arrow];

/**
 * The sink of a format by its name.
 * @throws ConfigError `unknown_format`, `unknown_compression`
 */
export function createSink(name: string, options?: SinkOptions): Sink {
  const format = sinkFormats.find((format) => format.name === name);
  if (format) return format.create(options);
  throw unknownFormat(name);
}

const unknownFormat = (name: string): ConfigError =>
  new ConfigError(
    `There is no format "${name}". The formats are: ${sinkFormats.map((format) => format.name).join(', ')}.`,
    { code: 'unknown_format' },
  );

/**
 * What a file says about itself; undefined when it is not a valid file of the format. All of it is read.
 * @throws what reading the bytes throws
 */
export async function inspectFile(
  format: string,
  path: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<FileContent | undefined> {
  const source = watched(bytes);
  const unclosed = { [Symbol.asyncIterator]: () => ({ next: () => source.bytes.next() }) };
  try {
    const isGzip = path.endsWith('.gz');
    const plain = isGzip ? gunzip(unclosed) : unclosed;
    const content = await sinkFormats.find(({ name }) => name === format)?.inspect(plain);
    return isGzip && content ? { ...content, compression: 'gzip' } : content;
  } catch {
    if (source.failure) throw source.failure.reason;
    while (!(await source.bytes.next()).done); // the caller counts and hashes all of them
    return undefined;
  }
}

/** The same bytes, and why reading them failed: whoever decodes them may throw something else then. */
function watched(bytes: AsyncIterable<Uint8Array>) {
  const source = { failure: undefined as { reason: unknown } | undefined, bytes: passedOn() };
  async function* passedOn(): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (reason) {
      source.failure = { reason };
      throw reason;
    }
  }
  return source;
}

/** A file to decode. */
export interface EncodedFile {
  /** The `format` of the sink that wrote it. */
  format: string;
  /** One that ends in `.gz` has gzip around it. */
  path: string;
  schema: StreamSchema;
  bytes: AsyncIterable<Uint8Array>;
}

/**
 * The rows of a file, in batches of bounded size: see `SinkFormat.decode`. The bytes are closed when the reader of the rows stops.
 * @throws ConfigError `unknown_format`; SinkError `file_of_another_schema`, `file_cut`, `file_unreadable`; what reading the bytes throws
 */
export async function* decodeFile({
  format,
  path,
  schema,
  bytes,
}: EncodedFile): AsyncGenerator<readonly Row[], void, void> {
  const known = sinkFormats.find(({ name }) => name === format);
  if (!known) throw unknownFormat(format);
  const source = watched(bytes);
  try {
    yield* known.decode(schema, path.endsWith('.gz') ? gunzip(source.bytes) : source.bytes);
  } catch (error) {
    if (source.failure) throw source.failure.reason;
    if (error instanceof ComplianceError) throw error;
    throw new SinkError(`A file of ${schema.name} cannot be read as ${format}: it is damaged.`, {
      code: 'file_unreadable',
      cause: error,
    });
  }
}
