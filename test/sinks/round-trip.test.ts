import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sinkFormats } from '../../src/sinks/index.js';
import { users } from '../../src/streams/users.js';
import { rowsOf } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';
import { expectedOf } from './expected.js';
import { type ReadRow, readersOf } from './readers.js';

/** Any text that can come over the wire, lone surrogates too, and more often one that breaks formats. */
const text = fc
  .oneof(
    { arbitrary: fc.string({ unit: 'binary' }), weight: 2 },
    {
      arbitrary: fc.string({
        unit: fc.constantFrom(
          '"',
          ',',
          '\n',
          '\r',
          "'",
          ' ',
          '\0',
          '\\',
          '{',
          '\ud800',
          '\ue000',
          '😀',
          '\uffff',
        ),
      }),
      weight: 3,
    },
    { arbitrary: fc.constantFrom('', 'null', '\\N', '=1'), weight: 1 },
  )
  .filter((text) => !text.startsWith('\ufeff')); // the readers' TextDecoder drops it: see `sinks.test.ts`

const twoDigits = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));

/** Mostly timestamps, at times with a month 13 or an hour 24, and at times any text. */
const timestamp = fc.oneof(
  {
    arbitrary: fc
      .tuple(
        fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0')),
        twoDigits(13),
        twoDigits(31),
        twoDigits(24),
        twoDigits(59),
        twoDigits(60),
        fc.option(fc.stringMatching(/^\d{1,9}$/)),
        fc.constantFrom('Z', 'z', '+05:30', '-11:00', ''),
      )
      .map(([y, mo, d, h, mi, s, f, z]) => `${y}-${mo}-${d}T${h}:${mi}:${s}${f === null ? '' : `.${f}`}${z}`),
    weight: 4,
  },
  { arbitrary: text, weight: 1 },
);

/** What DuckDB's JSON reader also takes: finite numbers; -0 is tested elsewhere, since it has none. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));

const user = fc.record(
  {
    id: fc.string({ minLength: 1, unit: 'grapheme' }),
    full_name: fc.oneof(fc.constant(null), text, json),
    email: fc.oneof(fc.constant(null), text),
    organization_role: fc.oneof(fc.constant(null), text),
    created_at: fc.oneof(fc.constant(null), timestamp, json),
    extra: json,
    other: json,
    __proto__: json,
  },
  { requiredKeys: ['id'] },
);

const batches = fc.array(fc.array(user, { maxLength: 8 }), { maxLength: 4 });

describe.each(sinkFormats)('the format $name', (format) => {
  it('loses, doubles and changes nothing of any rows', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (served) => {
        const rows = served.map((page) => rowsOf(users, page));
        const sink = format.create();
        const file = await encoded(sink, users.schema, inBatches(rows));
        const expected = rows.flat().map((row) => expectedOf(row, users.schema, format.name));
        for (const { name, read, sees = (row: ReadRow) => row } of readersOf[sink.format] ?? []) {
          expect(await read(file, sink.extension, users.schema), name).toEqual(expected.map(sees));
        }
      }),
      { numRuns: 60 },
    );
  });
});
