import { hasNullableKey } from '../../../src/index.js';
import { columnNames } from '../ddl.js';
import { WarehouseError } from '../error.js';
import type { SnapshotTable } from '../model.js';
import type { Postgres } from './connection.js';
import type { CopyFile } from './copy-files.js';
import { postgresDialect } from './dialect.js';

const { name, value } = postgresDialect.quoting;

/** One run date of one table. All names are quoted. */
export interface Partition {
  table: SnapshotTable;
  /** Of the partitioned table. */
  parent: string;
  /** Of the partition. */
  current: string;
  /** Of the partition while it is built. */
  building: string;
  /** Of the partition, without its schema. */
  ownName: string;
  /** `DATE '2026-11-23'` */
  day: string;
}

/** The names of a run date's partition. */
export function partitionOf(table: SnapshotTable, schema: string, runDate: string): Partition {
  const ownName = `${table.name}_${runDate.replaceAll('-', '')}`;
  return {
    table,
    parent: name(schema, table.name),
    current: name(schema, ownName),
    building: name(schema, `${ownName}_new`),
    ownName: name(ownName),
    day: `DATE ${value(runDate)}`,
  };
}

/**
 * Fills a table that nobody sees yet. FREEZE: its rows are as old as it is, so nothing is left for a later vacuum.
 * @throws WarehouseError `rows_differ`
 */
export async function build(
  postgres: Postgres,
  { table, parent, building, day }: Partition,
  { path, rows }: CopyFile,
): Promise<void> {
  await postgres.rows(
    `CREATE TABLE ${building} (LIKE ${parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)`,
  );
  const columns = columnNames(table, postgresDialect.quoting);
  const taken = await postgres.copy(
    `COPY ${building} (${columns}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8', FREEZE)`,
    path,
  );
  if (taken !== rows) {
    throw new WarehouseError(
      `PostgreSQL took ${taken} of ${rows} rows of ${table.name}. Nothing was changed; please report it.`,
      { code: 'rows_differ' },
    );
  }
  // A primary key holds no nulls. By default, nulls differ from each other, and a row could be there twice.
  const constraint = hasNullableKey(table.columns, table.primaryKey)
    ? 'UNIQUE NULLS NOT DISTINCT'
    : 'PRIMARY KEY';
  const key = table.primaryKey.map((column) => name(column)).join(', ');
  await postgres.rows(
    `ALTER TABLE ${building} ADD ${constraint} (${key}), ADD CONSTRAINT run_date CHECK (${name(table.dateColumn)} = ${day})`,
  );
  await postgres.rows(`ANALYZE ${building}`);
}

/** Removes the current partition of the run date, if there is one. */
export async function drop(postgres: Postgres, { parent, current }: Partition): Promise<void> {
  const [row] = await postgres.rows('SELECT to_regclass($1) AS found', [current]);
  if (row?.found === null) return;
  await postgres.rows(`ALTER TABLE ${parent} DETACH PARTITION ${current}`);
  await postgres.rows(`DROP TABLE ${current}`);
}

/** Makes a partition that was built the current one; its check lets the server attach it without reading it. */
export async function attach(postgres: Postgres, partition: Partition): Promise<void> {
  const { parent, current, building, ownName, day } = partition;
  await postgres.rows(`ALTER TABLE ${building} RENAME TO ${ownName}`);
  await postgres.rows(`ALTER TABLE ${parent} ATTACH PARTITION ${current} FOR VALUES IN (${day})`);
  await postgres.rows(`ALTER TABLE ${current} DROP CONSTRAINT run_date`);
}
