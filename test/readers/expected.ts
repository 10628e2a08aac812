import { expect } from 'vitest';
import type { Row, StreamSchema } from '../../src/index.js';
import { expectedOf } from '../sinks/expected.js';
import type { ReadRow, Table } from './answers.js';
import type { ParsedRow, Reader } from './readers.js';
import { type Rows, SCHEMAS } from './trees.js';

/** Finds every row that was served for a table, with every value, and no others. */
export function expectServed(
  table: Table | undefined,
  { sees = {} }: Reader,
  served: Record<string, Rows>,
): void {
  if (table === undefined) throw new Error('The table was not read.');
  const { stream, format, run_date: runDate } = table;
  const schema = SCHEMAS[stream] as StreamSchema;
  const { [format]: seen = (row: ParsedRow) => row } = sees;
  const rows = served[runDate]?.[stream] ?? [];
  const expected = byKey(
    rows.map((row) => seen(readable(row, schema, format), schema)),
    schema,
  );
  const found = byKey(
    table.rows.map((row) => parsed(row, schema)),
    schema,
  );
  const what = `${stream} of ${runDate}`;
  expect(table.rows.length, `${what}: rows`).toBe(rows.length);
  expect(new Set(found.keys()), `${what}: keys`).toEqual(new Set(expected.keys()));
  for (const [key, row] of found) expect(row, `${what}, ${key}`).toEqual(expected.get(key));
}

/** A served row as a reader must find it in a format. */
function readable(row: Row, schema: StreamSchema, format: string): ParsedRow {
  const cells = expectedOf(row, schema, format);
  const date = { snapshot_date: row.snapshot_date };
  const value = ({ name, type }: StreamSchema['fields'][number]): unknown =>
    type === 'json' || cells[name] === null ? cells[name] : String(cells[name]);
  return { ...Object.fromEntries(schema.fields.map((field) => [field.name, value(field)])), ...date };
}

function parsed(row: ReadRow, { fields }: StreamSchema): ParsedRow {
  const value = (text: string | null | undefined, type: string): unknown =>
    type === 'json' && text ? JSON.parse(text) : text;
  return Object.fromEntries(fields.map(({ name, type }) => [name, value(row[name], type)]));
}

/** By the values of the table's key, any of which may be null. */
const byKey = (rows: readonly ParsedRow[], { primaryKey }: StreamSchema): Map<string, ParsedRow> =>
  new Map(rows.map((row) => [JSON.stringify(primaryKey.map((name) => row[name])), row]));
