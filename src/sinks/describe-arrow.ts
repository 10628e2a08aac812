import type { FieldType, StreamSchema } from '../model/schema.js';

/** The Arrow type of each type of field, as Apache's library writes it. */
const NAMES: Record<FieldType, string> = {
  string: 'Utf8',
  timestamp: 'Timestamp<MICROSECOND, UTC>',
  date: 'Date32<DAY>',
  boolean: 'Bool',
  json: 'Utf8',
};

/** The Arrow schema of a stream as text, one field a line. */
export const describeArrow = (schema: StreamSchema): string =>
  schema.fields
    .map(({ name, type, nullable }) => `${name}: ${NAMES[type]}${nullable ? '' : ' not null'}`)
    .join('\n');
