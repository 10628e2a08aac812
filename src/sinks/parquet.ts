import { chooseCompression } from './compression.js';
import { PARQUET_CODECS } from './parquet-codec.js';
import { PAGE_ROWS, parquetFile } from './parquet-file.js';
import { type ColumnBlock, recordBatches, regrouped } from './record-batches.js';
import type { SinkFormat } from './sink.js';

const COMPRESSIONS = ['zstd', 'snappy', 'gzip', 'none'] as const;

/** Parquet with true types and min/max statistics. */
export const parquet: SinkFormat = {
  name: 'parquet',
  summary: 'Parquet with true types and min/max statistics.',
  compressions: COMPRESSIONS,
  isText: false,
  duckdb: {
    isTyped: true,
    from: (paths) => `read_parquet(${paths}, hive_partitioning = false)`,
  },
  async *decode(schema, bytes) {
    const { decodeParquet } = await reader();
    yield* decodeParquet(schema, bytes);
  },
  async inspect(bytes) {
    const { inspectParquet } = await reader();
    return await inspectParquet(bytes);
  },
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
          const { splitParquet } = await reader();
          yield* splitParquet(schema, bytes);
        },
        join: (schema, blocks: AsyncIterable<ColumnBlock>) =>
          parquetFile(schema, regrouped(schema, blocks, PAGE_ROWS), codec),
      },
    };
  },
};

/** Loaded when a file is read, never to write one: it is large. */
const reader = () => import('./parquet-reader.js');
