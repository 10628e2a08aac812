import { ConfigError } from '../errors.js';
import { arrow } from './arrow.js';
import { csv } from './csv.js';
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
