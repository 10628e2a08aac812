import type { Batch } from '../model/batch.js';
import type { StreamSchema } from '../model/schema.js';
import type { CopiedData } from './bitmap.js';
import { checkedBatch } from './checked-batch.js';
import { type Column, newColumn } from './column.js';
import type { RecordBatch } from './column-data.js';
import type { Block } from './regrouping.js';
import { type TypedValues, typedValues } from './typed-values.js';

/** Bounds of a record batch: a typed sink holds that much of a file at least, and adds no row beyond it. */
export const BATCH_ROWS = 8192;
export const BATCH_BYTES = 2 * 1024 * 1024;

/** What typed sinks encode. A batch is valid until the next one is asked for. */
export type RecordBatches = AsyncGenerator<RecordBatch>;

/**
 * The one way from rows to columns: record batches of bounded size, whatever the size of the batches of rows.
 * @param batchRows how many rows one holds at most
 */
export async function* recordBatches(
  schema: StreamSchema,
  batches: AsyncIterable<Batch>,
  batchRows = BATCH_ROWS,
): RecordBatches {
  const builder = batchBuilder(schema, batchRows);
  for await (const batch of batches) {
    const values = typedValues(checkedBatch(schema, batch));
    for (let from = 0; from < batch.length; ) {
      from = builder.append(values, from, batch.length);
      if (builder.isFull()) yield* builder.take();
    }
  }
  if (builder.rows() > 0) yield* builder.take();
}

/** Some rows of a record batch that was read from a file. */
export interface ColumnBlock extends Block {
  readonly columns: readonly CopiedData[];
  /** The first of them. */
  readonly from: number;
  slice(from: number, to: number): ColumnBlock;
}

/** Rows of several files, in the record batches that they would have if all had been written to one file. */
export async function* regrouped(
  schema: StreamSchema,
  blocks: AsyncIterable<ColumnBlock>,
  batchRows = BATCH_ROWS,
): RecordBatches {
  const builder = batchBuilder(schema, batchRows);
  for await (const { columns, from, rows } of blocks) {
    for (let start = from; start < from + rows; ) {
      start = builder.copy(columns, start, from + rows);
      if (builder.isFull()) yield* builder.take();
    }
  }
  if (builder.rows() > 0) yield* builder.take();
}

function batchBuilder({ fields }: StreamSchema, batchRows: number) {
  const columns = fields.map(({ type }) => newColumn[type]());
  let rows = 0;
  const bytes = (): number => columns.reduce((sum, column) => sum + column.bytes(), 0);
  /** The end of as many rows as still fit, or of the one that fills this batch. */
  const endOf = (from: number, to: number, bytesOf: (column: Column, i: number, end: number) => number) => {
    let end = Math.min(to, from + batchRows - rows);
    const room = BATCH_BYTES - bytes();
    const isTooLong = () => columns.reduce((sum, column, i) => sum + bytesOf(column, i, end), 0) >= room;
    while (end > from + 1 && isTooLong()) end = from + ((end - from) >> 1);
    return end;
  };
  return {
    rows: () => rows,
    isFull: () => rows >= batchRows || bytes() >= BATCH_BYTES,
    /**
     * Appends rows, from `from` on: as many as still fit, or the one that fills this batch.
     * @returns the first that was not taken
     */
    append(values: readonly TypedValues[], from: number, to: number): number {
      const of = (i: number) => values[i] as TypedValues;
      const end = endOf(from, to, (column, i, last) => column.bytesOf(of(i), from, last));
      for (const [i, column] of columns.entries()) column.append(of(i), from, end);
      rows += end - from;
      return end;
    },
    /** The same with rows that were read from a file. */
    copy(data: readonly CopiedData[], from: number, to: number): number {
      const of = (i: number) => data[i] as CopiedData;
      const end = endOf(from, to, (column, i, last) => column.bytesOfCopy(of(i), from, last));
      for (const [i, column] of columns.entries()) column.copy(of(i), from, end);
      rows += end - from;
      return end;
    },
    /** The batch so far; the next row begins another. */
    *take(): Generator<RecordBatch> {
      yield { rows, columns: columns.map((column) => column.finish()) };
      for (const column of columns) column.clear();
      rows = 0;
    },
  };
}
