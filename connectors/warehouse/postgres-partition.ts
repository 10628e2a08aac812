import { columnNames } from './ddl.js';
import type { Postgres } from './postgres.js';
import { postgresDialect } from './postgres-dialect.js';
import type { CopyFile } from './postgres-text.js';
import { WarehouseError } from './warehouse-error.js';

const { name, value } = postgresDialect.quoting;

/** One run date of one table. */
export interface Partition {
  copy: CopyFile;
  /** Qualified, quoted names. */
  parent: string;
  standing: string;
  aside: string;
  /** Of `standing`, without its schema. */
  ownName: string;
  /** `DATE '2026-11-23'` */
  day: string;
  dateColumn: string;
}

/** The names of a run date's partition. */
export function partitionOf(copy: CopyFile, schema: string, runDate: string): Partition {
  const ownName = `${copy.table.name}_${runDate.replaceAll('-', '')}`;
  return {
    copy,
    parent: name(schema, copy.table.name),
    standing: name(schema, ownName),
    aside: name(schema, `${ownName}_new`),
    ownName: name(ownName),
    day: `DATE ${value(runDate)}`,
    dateColumn: name(copy.table.dateColumn),
  };
}

/**
 * Fills a table that nobody sees yet. FREEZE: its rows are as old as it is, so nothing is left for a later vacuum.
 * @throws WarehouseError `rows_differ`
 */
export async function build(
  postgres: Postgres,
  { copy, parent, aside, day, dateColumn }: Partition,
): Promise<void> {
  const { table, path, rows } = copy;
  await postgres.rows(
    `CREATE TABLE ${aside} (LIKE ${parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)`,
  );
  const columns = columnNames(table, postgresDialect.quoting);
  const taken = await postgres.copy(
    `COPY ${aside} (${columns}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8', FREEZE)`,
    path,
  );
  if (taken !== rows) {
    throw new WarehouseError(
      `PostgreSQL took ${taken} of ${rows} rows of ${table.name}. Nothing was changed; please report it.`,
      { code: 'rows_differ' },
    );
  }
  const key = table.primaryKey.map((column) => name(column)).join(', ');
  await postgres.rows(
    `ALTER TABLE ${aside} ADD PRIMARY KEY (${key}), ADD CONSTRAINT run_date CHECK (${dateColumn} = ${day})`,
  );
  await postgres.rows(`ANALYZE ${aside}`);
}

/** The old partition goes and the new one comes; the check lets the server attach it without reading it. */
export async function putInPlace(postgres: Postgres, partition: Partition): Promise<void> {
  const { parent, standing, aside, ownName, day } = partition;
  const [row] = await postgres.rows('SELECT to_regclass($1) AS found', [standing]);
  if (row?.found !== null) {
    await postgres.rows(`ALTER TABLE ${parent} DETACH PARTITION ${standing}`);
    await postgres.rows(`DROP TABLE ${standing}`);
  }
  await postgres.rows(`ALTER TABLE ${aside} RENAME TO ${ownName}`);
  await postgres.rows(`ALTER TABLE ${parent} ATTACH PARTITION ${standing} FOR VALUES IN (${day})`);
  await postgres.rows(`ALTER TABLE ${standing} DROP CONSTRAINT run_date`);
}
