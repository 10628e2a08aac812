import type { Manifest } from '../../../src/index.js';
import type { Duckdb, DuckdbRow } from '../duckdb/connection.js';
import { duckdbDialect } from '../duckdb/dialect.js';
import { WarehouseError } from '../error.js';
import type { SnapshotTable } from '../model.js';

const { name, value } = duckdbDialect.quoting;

interface RowCheck {
  duckdb: Duckdb;
  manifest: Manifest;
  table: SnapshotTable;
  /** A table or a query in parentheses. */
  from: string;
}

/**
 * Checks that the rows are those that the manifest counts, list by list: none is missing, twice or of another date.
 * @throws WarehouseError `rows_differ`
 */
export async function checkRows({ duckdb, manifest, table, from }: RowCheck): Promise<void> {
  const parents = table.parentColumns.map((column) => name(column));
  // A row of values is never null, and two with nulls in the same places are the same.
  const key = `row(${table.ownKey.map((column) => name(column)).join(', ')})`;
  const counted = await duckdb.rows(
    `SELECT ${[...parents, 'count(*) AS "rows"', `count(DISTINCT ${key}) AS "keys"`].join(', ')}
FROM ${from} WHERE ${name(table.dateColumn)} = CAST(${value(manifest.run_date)} AS DATE) GROUP BY ALL`,
  );
  const expected = expectedRows(manifest, table);
  const listOf = (row: DuckdbRow): string => JSON.stringify(table.parentColumns.map((column) => row[column]));
  const found = counted.filter(({ rows }) => Number(rows) > 0);
  const isRight = (row: DuckdbRow): boolean =>
    row.rows === row.keys && Number(row.rows) === expected.get(listOf(row));
  if (found.length === expected.size && found.every(isRight)) return;
  throw new WarehouseError(
    `The files of ${manifest.run_date} do not hold the rows of ${table.stream} that their manifest counts. Nothing was loaded; take the snapshot again.`,
    { code: 'rows_differ' },
  );
}

/** By list, the empty ones left out. */
function expectedRows({ tables }: Manifest, { stream, parentColumns }: SnapshotTable): Map<string, number> {
  const slices = tables[stream]?.slices ?? [];
  return new Map(
    slices
      .filter(({ rows }) => rows > 0)
      .map(({ parent, rows }) => [JSON.stringify(parentColumns.map((column) => parent[column])), rows]),
  );
}
