import type { Manifest } from '../../src/index.js';
import type { Duckdb } from './duckdb.js';
import { duckdbDialect } from './duckdb-dialect.js';
import type { SnapshotTable } from './model.js';
import { WarehouseError } from './warehouse-error.js';

const { name, value } = duckdbDialect.quoting;

interface RowCheck {
  duckdb: Duckdb;
  manifest: Manifest;
  table: SnapshotTable;
  /** A table or a query in parentheses. */
  from: string;
}

/**
 * That the rows are those the manifest counts, organisation by organisation: none lost, none twice, none of another
 * date.
 * @throws WarehouseError `rows_differ`
 */
export async function checkRows({ duckdb, manifest, table, from }: RowCheck): Promise<void> {
  const [, ...key] = table.primaryKey;
  const group = key.length > 1 ? name(key[0]) : value('');
  const counted = await duckdb.rows(
    `SELECT ${group} AS organization, count(*) AS n, count(DISTINCT ${name(key.at(-1))}) AS keys
FROM ${from} WHERE ${name(table.dateColumn)} = CAST(${value(manifest.run_date)} AS DATE) GROUP BY ALL`,
  );
  const expected = expectedRows(manifest, table);
  const wrong = counted.filter(
    ({ organization, n, keys }) => n !== keys || Number(n) !== expected.get(String(organization)),
  );
  if (wrong.length === 0 && counted.length === expected.size) return;
  throw new WarehouseError(
    `The files of ${manifest.run_date} do not hold the rows of ${table.stream} that their manifest counts. Nothing was loaded; take the snapshot again.`,
    { code: 'rows_differ' },
  );
}

/** By organisation, the empty ones left out; under '' for the list of organisations itself. */
function expectedRows({ slices, organizations }: Manifest, { stream }: SnapshotTable): Map<string, number> {
  const counts: [string, number][] =
    stream === 'users'
      ? slices.map(({ organization_uuid, rows }) => [organization_uuid, rows])
      : [['', organizations.rows]];
  return new Map(counts.filter(([, rows]) => rows > 0));
}
