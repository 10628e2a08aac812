import { ParquetFile, type RecordBatch as WasmBatch } from 'parquet-wasm';
import type { StreamSchema } from '../schema.js';
import { BATCH_ROWS, type ColumnBlock, columnBlocks } from './columns.js';
import { collect, type FileContent } from './inspect.js';

/** Reads the metadata at the end of a Parquet file. */
export async function inspectParquet(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const file = await ParquetFile.fromFile(new Blob([await collect(bytes)]));
  try {
    const metadata = file.metadata();
    const group = metadata.numRowGroups() === 0 ? undefined : metadata.rowGroup(0);
    const columns = group?.columns().map((column) => column.columnPath().join('.'));
    return { rows: metadata.fileMetadata().numRows(), columns };
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
