import { Bool, type DataType, DateDay, Field, Schema, TimestampMicrosecond, Utf8 } from 'apache-arrow';
import type { FieldType, StreamSchema } from '../model/schema.js';

/** The Arrow type of each type of field. */
export const ARROW_TYPES = {
  string: new Utf8(),
  timestamp: new TimestampMicrosecond('UTC'),
  date: new DateDay(),
  boolean: new Bool(),
  json: new Utf8(),
} as const satisfies Record<FieldType, DataType>;

/** The Arrow schema of a stream. */
export function arrowSchemaOf(schema: StreamSchema): Schema {
  return new Schema(
    schema.fields.map(({ name, type, nullable }) => new Field(name, ARROW_TYPES[type], nullable)),
  );
}
