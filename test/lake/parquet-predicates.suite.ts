import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSink, type Row, users } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';

/** A reader skips pages and row groups by their bounds and dictionaries: what it then finds must still be every row. */

const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'é',
    '😀',
    '\uffff',
    '\ud7ff',
    'z'.repeat(300),
    'é'.repeat(200),
    'x'.repeat(70_000),
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const instant = fc.constantFrom(
  '1969-12-31T23:59:59.999999Z',
  '2025-01-31T23:59:59.123456Z',
  '2025-01-31T23:59:59.123457Z',
  '2199-12-31T00:00:00Z',
  null,
);
const user = fc.record({
  full_name: fc.option(text),
  email: fc.option(text),
  organization_role: fc.option(fc.constantFrom('user', 'admin', 'é')),
  created_at: instant,
});
const TEXTS = ['full_name', 'email', 'organization_role'] as const;

it('finds every row by its value and by a range, whatever the texts, the codec and the number of pages', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'users.parquet');
  const database = await (await DuckDBInstance.create()).connect();
  const count = async (condition: string, value: string): Promise<number> => {
    const statement = await database.prepare(
      `SELECT count(*) FROM read_parquet('${path}') WHERE ${condition}`,
    );
    statement.bindVarchar(1, value);
    return Number((await statement.runAndReadAll()).getRows()[0]?.[0]);
  };
  const files = fc.record({
    some: fc.array(user, { minLength: 1, maxLength: 40 }),
    compression: fc.constantFrom('zstd', 'snappy', 'gzip', 'none'),
    repeated: fc.integer({ min: 1, max: 300 }),
  });
  await fc.assert(
    fc.asyncProperty(files, async ({ some, compression, repeated }) => {
      const rows = Array.from({ length: repeated }, (_, n) =>
        some.map(
          (row, i): Row => ({ organization_uuid: 'o', id: `${n} ${i}`, snapshot_date: '2026-11-23', ...row }),
        ),
      ).flat();
      const chunks: Uint8Array[] = [];
      const batches = (async function* () {
        for (let from = 0; from < rows.length; from += 777) yield rows.slice(from, from + 777);
      })();
      for await (const chunk of createSink('parquet', { compression }).encode(users.schema, batches))
        chunks.push(chunk);
      await writeFile(path, Buffer.concat(chunks));
      for (const column of TEXTS) {
        const values = rows.map((row) => (row[column] as string | null)?.toWellFormed() ?? null);
        const bytes = values.map((value) => (value === null ? null : Buffer.from(value)));
        for (const value of [...new Set(values)].slice(0, 5)) {
          if (value === null || value.includes('\0')) continue; // a parameter ends there
          const wanted = Buffer.from(value);
          const equal = values.filter((other) => other === value).length;
          const greater = bytes.filter(
            (other) => other !== null && Buffer.compare(other, wanted) >= 0,
          ).length;
          expect(await count(`${column} = $1`, value)).toBe(equal);
          expect(await count(`${column} >= $1`, value)).toBe(greater);
        }
      }
      for (const value of new Set(rows.map(({ created_at }) => created_at as string | null)))
        if (value !== null)
          expect(await count('created_at = $1::TIMESTAMPTZ', value)).toBe(
            rows.filter(({ created_at }) => created_at === value).length,
          );
    }),
    { numRuns: 100 },
  );
}, 120_000);
