import type { SnapshotTable } from '../../../connectors/warehouse/model.js';
import type { FixtureApi } from '../../../fixtures/api/index.js';
import { type Json, type Row, type Stream, type StreamSchema, streams } from '../../../src/index.js';
import { jsonText } from '../../../src/sinks/json-text.js';
import { servedRows as rowsServed } from '../../served-rows.js';
import { expectedOf } from '../../sinks/expected.js';

/** A row as text: instants as microseconds since 1970, `extra` as JSON. */
export type TextRow = Record<string, string | null>;

/** Every row that a fixture serves for one table, as a warehouse must hold it. */
export function servedRows(
  api: FixtureApi,
  { stream: name }: Pick<SnapshotTable, 'stream'>,
  runDate: string,
): TextRow[] {
  const stream = streams.find((known) => known.name === name) as Stream;
  const rows = rowsServed(api, runDate, [stream])[name] ?? [];
  return rows.map((row) => textRow(row, stream.schema));
}

/** A row as a warehouse must hold it. */
export function textRow(row: Row, schema: StreamSchema): TextRow {
  const expected = expectedOf(row, schema, 'parquet');
  return Object.fromEntries(
    schema.fields.map(({ name, type }) => {
      const value = type === 'date' ? row[name] : expected[name];
      if (value === null || value === undefined) return [name, null];
      return [name, type === 'json' ? jsonText(value as Json) : String(value)];
    }),
  );
}

/**
 * Rows as they are read from NDJSON: DuckDB writes JSON values in a form of its own, and 0 for -0. The values are equal.
 */
export const withJsonOfDuckdb = (rows: readonly TextRow[], { columns }: SnapshotTable): TextRow[] =>
  rows.map((row) => {
    const json = columns.filter(({ name, type }) => type === 'json' && row[name] !== null);
    const texts = json.map(({ name }) => [name, JSON.stringify(JSON.parse(String(row[name])))]);
    return { ...row, ...Object.fromEntries(texts) };
  });

/** In one order, so that tables, which have none, can be compared. */
export const sorted = (rows: readonly TextRow[]): TextRow[] =>
  rows
    .map((row) => ({ key: JSON.stringify(Object.entries(row).sort()), row }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);
