import { hasNullableKey, type Row, type Stream } from '../../src/index.js';

/**
 * The column that identifies a record where a column of its own key may be null: whoever merges by a key never finds a null
 * again, and would keep such a record twice.
 */
export const RECORD_KEY = {
  name: 'record_key',
  description:
    'What identifies the record within its list, as JSON text: its key has columns that may be null.',
} as const;

/** Whether a stream needs it. */
export const hasRecordKey = ({ fields, key }: Stream): boolean => hasNullableKey(fields, key);

/** The columns by which a destination may merge; none is ever null. */
export function keyColumns(stream: Stream): readonly string[] {
  const { primaryKey } = stream.schema;
  if (!hasRecordKey(stream)) return primaryKey;
  return [...primaryKey.filter((name) => !stream.key.includes(name)), RECORD_KEY.name];
}

/** Its value. */
export const recordKey = ({ key }: Stream, row: Row): string =>
  JSON.stringify(key.map((name) => row[name] ?? null));
