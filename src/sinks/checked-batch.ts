import { type Batch, type ColumnBatch, columnBatch } from '../model/batch.js';
import type { Value } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { cellOf, requiredValueMissing } from './cell.js';

/**
 * A batch as columns of a schema, with a value in every column that must have one.
 * @throws SinkError `required_value_missing`, `value_of_wrong_type`: a row that no file could hold as it is
 */
export function checkedBatch(schema: StreamSchema, batch: Batch): ColumnBatch {
  if (!isOf(schema, batch)) return fromRows(schema, batch);
  for (const [i, field] of schema.fields.entries()) {
    if (!field.nullable && batch.columns[i]?.includes(null)) throw requiredValueMissing(field);
  }
  return batch;
}

/** The batches of a walk are made for the schema that they are written with, and hold values of its types only. */
const isOf = (schema: StreamSchema, batch: Batch): batch is ColumnBatch =>
  (batch as Partial<ColumnBatch>).schema === schema;

function fromRows(schema: StreamSchema, batch: Batch): ColumnBatch {
  const columns = schema.fields.map((): Value[] => []);
  for (const row of batch) {
    for (const [i, field] of schema.fields.entries()) {
      const value = cellOf(row, field);
      columns[i]?.push(typeof value === 'string' ? value.toWellFormed() : value);
    }
  }
  return columnBatch({ schema, columns, isPlain: false, isRaw: false });
}
