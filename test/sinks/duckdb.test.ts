import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../src/model/rows.js';
import { EXTRA } from '../../src/model/schema.js';
import { sinkFormats } from '../../src/sinks/index.js';
import { jsonText } from '../../src/sinks/json-text.js';
import type { SinkFormat } from '../../src/sinks/sink.js';
import { organizationSettings } from '../../src/streams/organization-settings.js';
import { users } from '../../src/streams/users.js';
import { anyRecords } from './arbitraries.js';
import { awkwardTables, rowsOf } from './awkward-rows.js';
import { encoded, inBatches } from './encoded.js';
import { queryFile, type ReadRow } from './readers.js';

const readable = sinkFormats.filter(({ duckdb }) => duckdb);

/** The columns as texts: JSON as its text, booleans as true or false. */
async function textsOf(
  format: SinkFormat,
  { schema }: { schema: typeof users.schema },
  rows: readonly Row[],
) {
  const file = await encoded(format.create(), schema, inBatches([rows]));
  const columns = schema.fields.map(({ name }) => `"${name}"::VARCHAR AS "${name}"`);
  return await queryFile(file, format.create().extension, (path) => {
    return `SELECT ${columns} FROM ${format.duckdb?.from(`['${path}']`, schema.fields)}`;
  });
}

/** `extra` in the very text that was written; of another JSON column the value, where DuckDB may write 0 for -0. */
function expectRead(read: readonly ReadRow[], rows: readonly Row[], { fields }: typeof users.schema): void {
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
  const names = fields.filter(({ type }) => type === 'json' || type === 'boolean').map(({ name }) => name);
  expect(read.length).toBe(rows.length);
  for (const [i, row] of rows.entries()) {
    for (const name of names) {
      const text = read[i]?.[name] as string | null;
      if (row[name] === null) expect(text, name).toBeNull();
      else if (name === EXTRA.name) expect(text).toBe(jsonText(row[name] ?? null));
      else expect(plain(JSON.parse(text ?? '')), name).toEqual(plain(row[name]));
    }
  }
}

describe.each(readable)('DuckDB, as it is asked to read $name', (format) => {
  it('finds extra and every JSON value, also where a member has the name extra', async () => {
    const values = [
      { extra: 1 },
      { x: 1, extra: 2 },
      { a: { b: [1, { y: 0, extra: null }] }, extra: [] },
      '","extra":',
      ',"extra":null}',
      '\\',
      '',
      null,
      [],
      {},
      true,
      false,
      0,
      -0,
      1e21,
      5e-324,
      'line\nbreak "quoted" \0 \u2028 é😀',
      `long ${'text,"extra":'.repeat(100_000)}`,
    ];
    const extras = [
      {},
      { y: -0 },
      { y: { z: 1, extra: 'x' }, big: 1e21 },
      { x: '","extra":' },
      { x: [1, { y: 0, extra: { z: 1, extra: -0 } }], '': '😀' },
    ];
    const served = values.flatMap((value, i) =>
      extras.map((extra, j) => ({ name: `${i}-${j}`, value, ...extra })),
    );
    const rows = rowsOf(organizationSettings, served);
    const read = await textsOf(format, organizationSettings, rows);
    expect(read.map(({ name }) => name)).toEqual(rows.map(({ name }) => name));
    expectRead(read, rows, organizationSettings.schema);
  });

  it.each(awkwardTables)('finds the JSON of awkward $stream.name', async ({ stream, rows }) => {
    // A timestamp that a typed column does not hold is in `extra`, too: other tests compare that.
    const instants = stream.schema.fields.filter(({ type }) => type === 'timestamp').map(({ name }) => name);
    const exact = rows.map((row) => ({
      ...row,
      ...Object.fromEntries(instants.map((name) => [name, null])),
    }));
    expectRead(await textsOf(format, stream, exact), exact, stream.schema);
  });

  it('finds any JSON', async () => {
    const settings = anyRecords({ byteOrderMark: true, minusZero: true })[1];
    await fc.assert(
      fc.asyncProperty(fc.array(settings?.record ?? fc.object(), { maxLength: 8 }), async (served) => {
        const rows = rowsOf(organizationSettings, served);
        expectRead(await textsOf(format, organizationSettings, rows), rows, organizationSettings.schema);
      }),
      { numRuns: 30 },
    );
  });

  it('reads a table that has no extra', async () => {
    const schema = { ...users.schema, fields: users.schema.fields.slice(0, 4) };
    const rows = [{ organization_uuid: 'o', id: 'u', full_name: 'null', email: null }];
    expect(await textsOf(format, { schema }, rows)).toEqual(rows);
  });
});
