import { Compression, ParquetFile, readParquet, type RecordBatch as WasmBatch } from 'parquet-wasm';
import type { StreamSchema } from '../model/schema.js';
import { BATCH_ROWS, type ColumnBlock, columnBlocks } from './columns.js';
import { collect, type FileContent } from './inspect.js';
import { rowsOfFooter } from './parquet-footer.js';
import type { DuckdbReading } from './sink.js';

/** The codecs that are written, by the names of `compressions`. */
export const PARQUET_CODECS = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  none: Compression.UNCOMPRESSED,
} as const;

/** For Parquet of any writer. */
export const parquetInDuckdb: DuckdbReading = {
  isTyped: true,
  from: (paths) => `read_parquet(${paths}, hive_partitioning = false)`,
};

/** Reads the metadata at the end of a Parquet file. */
export async function inspectParquet(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const file = await ParquetFile.fromFile(blobOf(await collect(bytes)));
  try {
    const metadata = file.metadata();
    const group = metadata.numRowGroups() === 0 ? undefined : metadata.rowGroup(0);
    const columns = group?.columns().map((column) => column.columnPath().join('.'));
    const codec = group?.column(0).compression();
    const [compression] = Object.entries(PARQUET_CODECS).find(([, known]) => known === codec) ?? [];
    return { rows: metadata.fileMetadata().numRows(), columns, compression };
  } finally {
    file.free();
  }
}

/** Batch after batch, whichever of our writers made the file. */
export async function* splitParquet(
  schema: StreamSchema,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<ColumnBlock> {
  const whole = await collect(bytes);
  const rows = rowsOfFooter(whole);
  if (rows !== undefined && rows <= BATCH_ROWS) {
    // At once: a stream for one batch would cost half as much again.
    yield* columnBlocks(schema, readParquet(whole, { batchSize: BATCH_ROWS }).intoIPCStream());
    return;
  }
  const file = await ParquetFile.fromFile(blobOf(whole));
  try {
    const batches = (await file.stream({ batchSize: BATCH_ROWS })) as ReadableStream<WasmBatch>;
    for await (const batch of batches) yield* columnBlocks(schema, batch.intoIPCStream());
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
