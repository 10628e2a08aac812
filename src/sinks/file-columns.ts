import { SinkError } from '../errors.js';
import type { Field, StreamSchema } from '../model/schema.js';

/** A file that holds other columns, or other types in them. */
export const anotherSchema = ({ name }: StreamSchema): SinkError =>
  new SinkError(
    `A file does not hold the columns that ${name} has in this version. It was written by another version, or belongs to another table.`,
    { code: 'file_of_another_schema' },
  );

/**
 * The fields of a file's columns, in the order of the schema. A file of an older version lacks some that may be null.
 * @throws SinkError `file_of_another_schema` when it has others, or lacks more
 */
export function fieldsOf(schema: StreamSchema, columns: readonly string[]): Field[] {
  const held = schema.fields.filter(({ name, nullable }) => columns.includes(name) || !nullable);
  if (held.length !== columns.length || held.some(({ name }, i) => name !== columns[i]))
    throw anotherSchema(schema);
  return held;
}
