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
    const tooFine =
      format === 'parquet-js' && timestamp && timestamp.micros < 0n && timestamp.micros % 1000n !== 0n;
    expected[name] = timestamp && (tooFine ? ((timestamp.micros - 999n) / 1000n) * 1000n : timestamp.micros);
    if (!timestamp?.exact || tooFine) expected.extra = { ...(expected.extra as object | null), [name]: text };
  }
  return expected;
}
