import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoting, standardQuoting } from '../../connectors/warehouse/sql.js';

const printable = fc
  .string({ unit: 'grapheme' })
  .filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());

describe('quoting', () => {
  it('gives back any text and any name, as DuckDB reads them', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await fc.assert(
      fc.asyncProperty(printable, printable, async (text, name) => {
        const named = `n${name}`; // no engine has an empty name
        const reader = await connection.runAndReadAll(
          `SELECT ${standardQuoting.value(text)} AS ${standardQuoting.name(named)}`,
        );
        expect(reader.getRows()).toEqual([[text]]);
        expect(reader.columnNames()).toEqual([named]);
      }),
      { numRuns: 200 },
    );
    connection.closeSync();
  });

  it('lets no text out of its quotes where a backslash escapes', () => {
    fc.assert(
      fc.property(printable, (text) => {
        const written = quoting('`', 'doubled').value(text);
        expect(written).toMatch(/^'(?:[^'\\]|\\.)*'$/u);
        expect(written.slice(1, -1).replaceAll(/\\(.)/gu, '$1')).toBe(text);
      }),
    );
  });

  it.each(['a\u0000b', 'line\nend', '\ud800', 'back\\slash'])(
    'refuses %j where it may mean something else',
    (text) => {
      expect(() => quoting('"', 'refused').value(text)).toThrow(TypeError);
    },
  );

  it('refuses numbers that are not whole', () => {
    expect(() => standardQuoting.value(0.5)).toThrow(TypeError);
  });
});
