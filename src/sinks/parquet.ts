import { chooseCompression } from './compression.js';
import { PARQUET_CODECS } from './parquet-codec.js';
import { PAGE_ROWS, parquetFile } from './parquet-file.js';
import { decodeParquet, inspectParquet, parquetInDuckdb } from './parquet-kind.js';
import { type ColumnBlock, recordBatches, regrouped } from './record-batches.js';
import type { SinkFormat } from './sink.js';

const COMPRESSIONS = ['zstd', 'snappy', 'gzip', 'none'] as const;

/** Parquet with true types and min/max statistics, by a writer of our own. */
export const parquet: SinkFormat = {
  name: 'parquet',
  format: 'parquet',
  summary: 'Parquet with true types and min/max statistics.',
  compressions: COMPRESSIONS,
  isText: false,
  duckdb: parquetInDuckdb,
  decode: decodeParquet,
  inspect: inspectParquet,
  create(options = {}) {
    const compression = chooseCompression('parquet', COMPRESSIONS, options.compression);
    const codec = PARQUET_CODECS[compression];
    return {
      format: 'parquet',
      extension: 'parquet',
      options: { compression },
      encode: (schema, batches) => parquetFile(schema, recordBatches(schema, batches, PAGE_ROWS), codec),
      regroup: {
        async *split(schema, bytes) {
          const { splitParquet } = await import('./parquet-reader.js');
          yield* splitParquet(schema, bytes);
        },
        join: (schema, blocks: AsyncIterable<ColumnBlock>) =>
          parquetFile(schema, regrouped(schema, blocks, PAGE_ROWS), codec),
      },
    };
  },
};
