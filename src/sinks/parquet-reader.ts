import { Compression, ParquetFile, readParquet, type RecordBatch as WasmBatch } from 'parquet-wasm';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { columnBlocks } from './column-blocks.js';
import { decodeColumns } from './decode-columns.js';
import { unreadable } from './decoded-value.js';
import { collect, type FileContent } from './inspect.js';
import { rowsOfFooter } from './parquet-footer.js';
import { BATCH_ROWS, type ColumnBlock } from './record-batches.js';

/** The codecs that are written, by the names of `compressions`. */
const CODEC_NAMES = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  none: Compression.UNCOMPRESSED,
} as const;

/** Reads the metadata at the end of a Parquet file. */
export async function inspectParquet(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const file = await ParquetFile.fromFile(blobOf(await collect(bytes)));
  try {
    const metadata = file.metadata();
    const group = metadata.numRowGroups() === 0 ? undefined : metadata.rowGroup(0);
    const columns = group?.columns().map((column) => column.columnPath().join('.'));
    const codec = group?.column(0).compression();
    const [compression] = Object.entries(CODEC_NAMES).find(([, known]) => known === codec) ?? [];
    return { rows: metadata.fileMetadata().numRows(), columns, compression };
  } finally {
    file.free();
  }
}

/** The rows as blocks. */
export async function* splitParquet(
  schema: StreamSchema,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<ColumnBlock> {
  for await (const ipc of arrowOf(await collect(bytes))) yield* columnBlocks(schema, ipc);
}

/** The rows, in batches. */
export async function* decodeParquet(
  schema: StreamSchema,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Row[], void, void> {
  const whole = await collect(bytes);
  let rows = 0;
  for await (const ipc of arrowOf(whole)) {
    for (const batch of decodeColumns(schema, ipc)) {
      rows += batch.length;
      yield batch;
    }
  }
  if (rows !== rowsOfFooter(whole)) throw unreadable('another number of rows than its footer says');
}

/** Batch after batch, each as an Arrow stream. */
async function* arrowOf(whole: Buffer): AsyncGenerator<Uint8Array> {
  const rows = rowsOfFooter(whole);
  if (rows !== undefined && rows <= BATCH_ROWS) {
    // At once: a stream for one batch would cost half as much again.
    yield readParquet(whole, { batchSize: BATCH_ROWS }).intoIPCStream();
    return;
  }
  const file = await ParquetFile.fromFile(blobOf(whole));
  try {
    const batches = (await file.stream({ batchSize: BATCH_ROWS })) as ReadableStream<WasmBatch>;
    for await (const batch of batches) yield batch.intoIPCStream();
  } finally {
    file.free();
  }
}

/** The part of a blob that the reader uses; a real blob would copy the bytes and use threads. */
const blobOf = (bytes: Buffer): Blob =>
  ({
    size: bytes.length,
    slice: (from: number, to: number) => ({
      arrayBuffer: async () => new Uint8Array(bytes.subarray(from, to)).buffer,
    }),
  }) as Blob;
