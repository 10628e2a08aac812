import {
  type Data,
  type DataType,
  Field,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from 'apache-arrow';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { ARROW_TYPES, type Column, newColumn } from './column.js';
import { anotherSchema } from './file-columns.js';
import type { Block } from './regrouping.js';
import { type TypedValue, typedRowReader } from './typed-row.js';

/** Bounds of a record batch: a typed sink holds that much of a file at least, and adds no row beyond it. */
export const BATCH_ROWS = 8192;
export const BATCH_BYTES = 2 * 1024 * 1024;

/** The Arrow schema of a stream. */
export function arrowSchemaOf(schema: StreamSchema): Schema {
  return new Schema(
    schema.fields.map(({ name, type, nullable }) => new Field(name, ARROW_TYPES[type], nullable)),
  );
}

/** The Arrow schema of a stream as text, one field a line. */
export const describeArrow = (schema: StreamSchema): string =>
  arrowSchemaOf(schema)
    .fields.map(({ name, type, nullable }) => `${name}: ${type}${nullable ? '' : ' not null'}`)
    .join('\n');

/** What typed sinks encode. */
export type RecordBatches = AsyncGenerator<RecordBatch>;

/**
 * The one way from rows to columns: record batches of bounded size, whatever the size of the batches of rows.
 * Their buffers are filled by hand, which costs a fifth of what the library's builders do.
 */
export async function* recordBatches(
  schema: StreamSchema,
  batches: AsyncIterable<readonly Row[]>,
): RecordBatches {
  const builder = batchBuilder(schema);
  for await (const batch of batches) {
    for (const row of batch) {
      builder.append(row);
      if (builder.isFull()) yield builder.finish();
    }
  }
  if (builder.rows() > 0) yield builder.finish();
}

/** Some rows of a record batch of our own schema. */
export interface ColumnBlock extends Block {
  readonly batch: RecordBatch;
  /** The first of them. */
  readonly from: number;
  slice(from: number, to: number): ColumnBlock;
}

/**
 * The rows of a file that is read as Arrow.
 * @throws SinkError `file_of_another_schema`
 */
export function* columnBlocks(schema: StreamSchema, ipc: Uint8Array): Generator<ColumnBlock> {
  const reader = RecordBatchReader.from(ipc).open();
  const isExpected = (field: Field, i: number): boolean =>
    field.name === schema.fields[i]?.name && typeKey(field.type) === typeKey(expected[i]?.type);
  const expected = arrowSchemaOf(schema).fields;
  if (reader.schema.fields.length !== expected.length || !reader.schema.fields.every(isExpected))
    throw anotherSchema(schema);
  for (const batch of reader) if (batch.numRows > 0) yield columnBlock(batch, 0, batch.numRows);
}

const columnBlock = (batch: RecordBatch, from: number, rows: number): ColumnBlock => ({
  batch,
  from,
  rows,
  slice: (start, end) => columnBlock(batch, from + start, end - start),
});

/** A type as far as it says how values are stored: whether an instant is marked as UTC does not. */
export const typeKey = (type: DataType | undefined): string => `${type}`.replace(/, UTC>$/, '>');

/** Rows of several files, in the record batches that they would have if all had been written to one file. */
export async function* regrouped(schema: StreamSchema, blocks: AsyncIterable<ColumnBlock>): RecordBatches {
  const builder = batchBuilder(schema);
  for await (const { batch, from, rows } of blocks) {
    for (let start = from; start < from + rows; ) {
      start = builder.copy(batch, start, from + rows);
      if (builder.isFull()) yield builder.finish();
    }
  }
  if (builder.rows() > 0) yield builder.finish();
}

/** A record batch without rows: an encoder learns the columns of an empty file from it. */
export function emptyBatch(schema: StreamSchema): RecordBatch {
  return batchBuilder(schema).finish();
}

/** A batch in a form that another implementation of Arrow reads: a complete IPC stream with this batch alone. */
export function ipcStreamOf(batch: RecordBatch): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, batch.schema); // without this, a stream of no rows would have no schema
  writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

function batchBuilder(schema: StreamSchema) {
  const arrowSchema = arrowSchemaOf(schema); // one for all batches of a file: a writer drops a batch with another one
  const readRow = typedRowReader(schema);
  const newColumns = () => schema.fields.map(({ type }) => newColumn[type]());
  let columns = newColumns();
  let rows = 0;
  const bytes = (): number => columns.reduce((sum, column) => sum + column.bytes(), 0);
  return {
    rows: () => rows,
    isFull: () => rows >= BATCH_ROWS || bytes() >= BATCH_BYTES,
    append(row: Row): void {
      const values = readRow(row);
      for (let i = 0; i < columns.length; i += 1) (columns[i] as Column).append(values[i] as TypedValue);
      rows += 1;
    },
    /**
     * Takes rows of a batch, from `from` on: as many as still fit, or the one that fills this batch.
     * @returns the first that was not taken
     */
    copy({ data }: RecordBatch, from: number, to: number): number {
      const child = (i: number) => data.children[i] as Data;
      const bytesOf = (end: number): number =>
        columns.reduce((sum, column, i) => sum + column.bytesOf(child(i), from, end), 0);
      let end = Math.min(to, from + BATCH_ROWS - rows);
      const room = BATCH_BYTES - bytes();
      while (end > from + 1 && bytesOf(end) >= room) end = from + ((end - from) >> 1);
      for (const [i, column] of columns.entries()) column.copy(child(i), from, end);
      rows += end - from;
      return end;
    },
    /** The batch so far; the next row begins another. Its buffers are not used again. */
    finish(): RecordBatch {
      const children = columns.map((column) => column.finish());
      const data = makeData({ type: new Struct(arrowSchema.fields), length: rows, nullCount: 0, children });
      columns = newColumns();
      rows = 0;
      return new RecordBatch(arrowSchema, data);
    },
  };
}
