import { SinkError } from '../errors.js';
import { isOfType } from '../model/records.js';
import type { Row, Value } from '../model/rows.js';
import type { Field } from '../model/schema.js';

/**
 * One value of a row.
 * @throws SinkError `required_value_missing`, `value_of_wrong_type`: a row that no file could hold as it is
 */
export function cellOf(row: Row, field: Field): Value {
  const value = row[field.name] ?? null;
  if (value === null) {
    if (field.nullable) return null;
    throw requiredValueMissing(field);
  }
  if (isOfType(value, field)) return value;
  const type = Array.isArray(value) ? 'array' : typeof value;
  throw new SinkError(
    `A row cannot be written: its \`${field.name}\` is of the type ${type}. Make rows with \`rowMaker\`.`,
    { code: 'value_of_wrong_type' },
  );
}

/** The error for a row without a value that every row must have. */
export const requiredValueMissing = ({ name }: Field): SinkError =>
  new SinkError(`A row cannot be written: it has no \`${name}\`, which every row must have.`, {
    code: 'required_value_missing',
  });
