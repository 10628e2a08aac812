import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import type { FileContent } from './inspect.js';
import type { DuckdbReading } from './sink.js';

/** For Parquet of any writer. */
export const parquetInDuckdb: DuckdbReading = {
  isTyped: true,
  from: (paths) => `read_parquet(${paths}, hive_partitioning = false)`,
};

/** Reads the metadata at the end of a Parquet file. The reader is loaded when it is needed: it is large. */
export async function inspectParquet(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const reader = await import('./parquet-reader.js');
  return await reader.inspectParquet(bytes);
}

/** The rows of Parquet of any writer of ours. */
export async function* decodeParquet(
  schema: StreamSchema,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Row[], void, void> {
  const reader = await import('./parquet-reader.js');
  yield* reader.decodeParquet(schema, bytes);
}
