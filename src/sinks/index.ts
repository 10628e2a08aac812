import { ConfigError } from '../errors.js';
import { arrow } from './arrow.js';
import { csv } from './csv.js';
import { gunzip } from './gzip.js';
import type { FileContent } from './inspect.js';
import { ndjson } from './ndjson.js';
import { parquet } from './parquet.js';
import { parquetJs } from './parquet-js.js';
import type { Sink, SinkFormat, SinkOptions } from './sink.js';

/** Every format that files can be written in; a new one is a file and a line. */
export const sinkFormats: readonly SinkFormat[] = [parquet, parquetJs, ndjson, csv, arrow];

/**
 * The sink of a format by its name.
 * @throws ConfigError `unknown_format`, `unknown_compression`
 */
export function createSink(name: string, options?: SinkOptions): Sink {
  const format = sinkFormats.find((format) => format.name === name);
  if (format) return format.create(options);
  throw new ConfigError(
    `There is no format "${name}". The formats are: ${sinkFormats.map((format) => format.name).join(', ')}.`,
    { code: 'unknown_format' },
  );
}

/**
 * What a file says about itself; undefined when it is not a valid file of the format. All of it is read.
 * @throws what reading the bytes throws
 */
export async function inspectFile(
  format: string,
  path: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<FileContent | undefined> {
  let failure: { reason: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (reason) {
      failure = { reason };
      throw reason;
    }
  }
  const source = watched();
  const unclosed = { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
  try {
    const isGzip = path.endsWith('.gz');
    const plain = isGzip ? gunzip(unclosed) : unclosed;
    const content = await sinkFormats.find((known) => known.format === format)?.inspect(plain);
    return isGzip && content ? { ...content, compression: 'gzip' } : content;
  } catch {
    if (failure) throw failure.reason;
    while (!(await source.next()).done); // the caller counts and hashes all of them
    return undefined;
  }
}
