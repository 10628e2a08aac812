import {
  type Compression,
  EnabledStatistics,
  Table,
  transformParquetStream,
  type RecordBatch as WasmBatch,
  type WriterProperties,
  WriterPropertiesBuilder,
} from 'parquet-wasm';
import { SinkError } from '../errors.js';
import type { StreamSchema } from '../model/schema.js';
import {
  type ColumnBlock,
  emptyBatch,
  ipcStreamOf,
  type RecordBatches,
  recordBatches,
  regrouped,
} from './columns.js';
import { chooseCompression } from './compression.js';
import { rowsOfFooter } from './parquet-footer.js';
import {
  decodeParquet,
  inspectParquet,
  PARQUET_CODECS,
  parquetInDuckdb,
  splitParquet,
} from './parquet-reader.js';
import type { SinkFormat } from './sink.js';

/** Bounds of a row group. The encoder holds one for each file, encoded, in a heap that never shrinks. */
const ROW_GROUP_ROWS = 50_000;
const ROW_GROUP_BYTES = 8 * 1024 * 1024;

/**
 * Bounds of a page and of a dictionary, held for each column of each file. The defaults (1 MiB) take twice the heap and
 * make larger files: ids and addresses never repeat, and roles fit into any dictionary.
 */
const PAGE_BYTES = 128 * 1024;

const COMPRESSIONS = ['zstd', 'snappy', 'gzip', 'none'] as const;

/** Parquet with true types and min/max statistics, by Apache's own encoder in WebAssembly. */
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
    return {
      format: 'parquet',
      extension: 'parquet',
      options: { compression },
      encode: (schema, batches) =>
        encode(schema, recordBatches(schema, batches), PARQUET_CODECS[compression]),
      regroup: {
        split: splitParquet,
        join: (schema, blocks: AsyncIterable<ColumnBlock>) =>
          encode(schema, regrouped(schema, blocks), PARQUET_CODECS[compression]),
      },
    };
  },
};

function writerProperties(codec: Compression): WriterProperties {
  return new WriterPropertiesBuilder()
    .setCompression(codec)
    .setStatisticsEnabled(EnabledStatistics.Chunk)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setMaxRowGroupBytes(ROW_GROUP_BYTES)
    .setDataPageSizeLimit(PAGE_BYTES)
    .setDictionaryPageSizeLimit(PAGE_BYTES)
    .build();
}

/**
 * The encoder takes a stream and gives a stream. It ignores failures on either side and then ends the file as
 * if nothing were missing, so the last bytes, with the footer, are held back until the file is known to be complete.
 */
async function* encode(
  schema: StreamSchema,
  batches: RecordBatches,
  codec: Compression,
): AsyncGenerator<Uint8Array> {
  const feed = feedOf(schema, batches);
  try {
    const encoded = await transformParquetStream(feed.stream, writerProperties(codec));
    const reader = (encoded as ReadableStream<Uint8Array>).getReader();
    const held: Uint8Array[] = [];
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (feed.ended) held.push(value);
        else yield value;
      }
    } finally {
      feed.end();
      await reader.cancel();
    }
    if (feed.failure) throw feed.failure.reason;
    const lastBytes = Buffer.concat(held);
    expectRows(feed.rows, lastBytes);
    yield lastBytes;
  } finally {
    await feed.close();
  }
}

/** The record batches as the encoder takes them: one at a time, when it asks. */
function feedOf(schema: StreamSchema, source: RecordBatches) {
  const feed = {
    rows: 0,
    ended: false,
    failure: undefined as { reason: unknown } | undefined,
    /** The encoder gets no more batches. */
    end: () => {
      feed.ended = true;
    },
    /** Resolves when the batches of rows are closed. */
    close: async () => {
      await source.return(undefined);
    },
    stream: new ReadableStream<WasmBatch>(
      {
        // A batch without rows comes first: the encoder learns the columns of an empty file from it.
        start: (controller) => controller.enqueue(wasmBatchOf(ipcStreamOf(emptyBatch(schema)))),
        async pull(controller) {
          try {
            const next = feed.ended ? undefined : await source.next();
            if (!next || next.done || feed.ended) {
              feed.end();
              controller.close();
            } else {
              feed.rows += next.value.numRows;
              controller.enqueue(wasmBatchOf(ipcStreamOf(next.value)));
            }
          } catch (reason) {
            feed.failure = { reason };
            feed.end();
            controller.close();
          }
        },
      },
      { highWaterMark: 0 },
    ),
  };
  return feed;
}

/** Copies a batch into the encoder's heap, where it is freed when it has been encoded. */
function wasmBatchOf(ipcStream: Uint8Array): WasmBatch {
  const table = Table.fromIPCStream(ipcStream);
  try {
    return table.recordBatch(0) as WasmBatch;
  } finally {
    table.free();
  }
}

function expectRows(rows: number, lastBytes: Buffer): void {
  const written = rowsOfFooter(lastBytes);
  if (written === rows) return;
  throw new SinkError(
    `The Parquet encoder was given ${rows} rows and wrote ${written ?? 'no footer'}. Try --parquet-writer js, and report this.`,
    { code: 'parquet_rows_missing' },
  );
}
