import { Compression, ParquetFile, type RecordBatch as WasmBatch } from 'parquet-wasm';
import type { StreamSchema } from '../schema.js';
import { BATCH_ROWS, type ColumnBlock, columnBlocks } from './columns.js';
import { collect, type FileContent } from './inspect.js';

/** The codecs that are written, by the names of `compressions`. */
export const PARQUET_CODECS = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  none: Compression.UNCOMPRESSED,
} as const;

/** Reads the metadata at the end of a Parquet file. */
export async function inspectParquet(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const file = await ParquetFile.fromFile(new Blob([await collect(bytes)]));
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
  const file = await ParquetFile.fromFile(new Blob([await collect(bytes)]));
  try {
    const batches = (await file.stream({ batchSize: BATCH_ROWS })) as ReadableStream<WasmBatch>;
    for await (const batch of batches) yield* columnBlocks(schema, batch.intoIPCStream());
  } finally {
    file.free();
  }
}
