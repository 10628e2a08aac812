import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import { parseDate, parseTimestamp } from '../../src/model/timestamp.js';
import { sinkFormats } from '../../src/sinks/index.js';
import type { ReadRow } from './readers.js';

/** Whether a format, by its name, has no types of its own: a timestamp is the text that was served. */
export const isText = (format: string): boolean =>
  sinkFormats.find(({ name }) => name === format)?.isText ?? false;

/** What a reader must find of a row. */
export function expectedOf(row: Row, schema: StreamSchema, format: string): ReadRow {
  const expected: ReadRow = { ...row };
  if (isText(format)) return expected;
  for (const { name, type } of schema.fields) {
    const text = row[name];
    if (typeof text !== 'string') continue;
    if (type === 'date') expected[name] = parseDate(text);
    if (type !== 'timestamp') continue;
    const timestamp = parseTimestamp(text);
    expected[name] = timestamp?.micros ?? null;
    if (!timestamp?.exact) expected.extra = { ...(expected.extra as object | null), [name]: text };
  }
  return expected;
}
