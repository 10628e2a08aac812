import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sinkFormats } from '../../src/sinks/index.js';
import { anyRecords } from './arbitraries.js';
import { rowsOf } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';
import { expectedOf } from './expected.js';
import { type ReadRow, readersOf } from './readers.js';

// `sinks.deep.test.ts` and `duckdb.test.ts` test what not every reader here distinguishes.
const records = anyRecords({ byteOrderMark: false, minusZero: false });

describe.each(sinkFormats)('the format $name', (format) => {
  it.each(records)('loses, doubles and changes nothing of any $stream.name', async ({ stream, record }) => {
    const batches = fc.array(fc.array(record, { maxLength: 8 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, async (served) => {
        const rows = served.map((page) => rowsOf(stream, page));
        const sink = format.create();
        const file = await encoded(sink, stream.schema, inBatches(rows));
        const expected = rows.flat().map((row) => expectedOf(row, stream.schema, format.name));
        for (const { name, read, sees = (row: ReadRow) => row } of readersOf[sink.format] ?? []) {
          expect(await read(file, sink.extension, stream.schema), name).toEqual(expected.map(sees));
        }
      }),
      { numRuns: 40 },
    );
  });
});
