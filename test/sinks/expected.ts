import type { Row } from '../../src/rows.js';
import type { StreamSchema } from '../../src/schema.js';
import { createSink } from '../../src/sinks/index.js';
import { parseDate, parseTimestamp } from '../../src/timestamp.js';
import type { ReadRow } from './readers.js';

/** Formats that have true types; in the others a timestamp is text. */
export const TYPED = new Set(['parquet', 'arrow']);

/** What a reader must find of a row. */
export function expectedOf(row: Row, schema: StreamSchema, format: string): ReadRow {
  const expected: ReadRow = { ...row };
  if (!TYPED.has(createSink(format).format)) return expected;
  for (const { name, type } of schema.fields) {
    const text = row[name];
    if (typeof text !== 'string') continue;
    if (type === 'date') expected[name] = parseDate(text);
    if (type !== 'timestamp') continue;
    const timestamp = parseTimestamp(text);
    const tooFine =
      format === 'parquet-js' && timestamp && timestamp.micros < 0n && timestamp.micros % 1000n !== 0n;
    expected[name] = timestamp && (tooFine ? ((timestamp.micros - 999n) / 1000n) * 1000n : timestamp.micros);
    if (!timestamp?.exact || tooFine) expected.extra = { ...(row.extra as object | null), [name]: text };
  }
  return expected;
}
