import { type DataType, type Field, RecordBatchReader } from 'apache-arrow';
import type { StreamSchema } from '../model/schema.js';
import { arrowSchemaOf } from './arrow-schema.js';
import type { CopiedData } from './bitmap.js';
import { anotherSchema } from './file-columns.js';
import type { ColumnBlock } from './record-batches.js';

/**
 * The rows of a file that is read as Arrow.
 * @throws SinkError `file_of_another_schema`
 */
export function* columnBlocks(schema: StreamSchema, ipc: Uint8Array): Generator<ColumnBlock> {
  const reader = RecordBatchReader.from(ipc).open();
  const isExpected = (field: Field, i: number): boolean =>
    field.name === schema.fields[i]?.name && isSameType(field.type, expected[i]?.type);
  const expected = arrowSchemaOf(schema).fields;
  if (reader.schema.fields.length !== expected.length || !reader.schema.fields.every(isExpected))
    throw anotherSchema(schema);
  for (const { data, numRows } of reader) {
    if (numRows > 0) yield columnBlock(data.children as unknown as CopiedData[], 0, numRows);
  }
}

const columnBlock = (columns: readonly CopiedData[], from: number, rows: number): ColumnBlock => ({
  columns,
  from,
  rows,
  slice: (start, end) => columnBlock(columns, from + start, end - start),
});

/** Unit and time zone of an instant included. The library's own comparison distinguishes the classes of equal types. */
export const isSameType = (one: DataType | undefined, other: DataType | undefined): boolean =>
  `${one}` === `${other}`;
