import { LockedError } from '../../src/index.js';
import { columnNames, commentStatements, createCurrentView, createTable, insertSnapshot } from './ddl.js';
import type { Loader } from './loader.js';
import { snapshotRow, snapshotsTable, snapshotTables, tables } from './model.js';
import { openPostgres, type Postgres } from './postgres.js';
import type { PostgresAddress } from './postgres-address.js';
import { postgresDialect } from './postgres-dialect.js';
import { describePostgres } from './postgres-error.js';
import { type CopyFile, copyFiles } from './postgres-text.js';
import { checkReplaces, type Standing } from './replacement.js';
import { checkUnchanged, fetchFiles } from './snapshot-source.js';
import { WarehouseError } from './warehouse-error.js';

const { name, value } = postgresDialect.quoting;

interface PostgresTarget {
  address: PostgresAddress;
  schema: string;
  signal: AbortSignal;
}

/**
 * Loads into PostgreSQL: the partition of the run date is built aside and put in place at the end of one transaction,
 * so that nobody waits for the load but for that last moment.
 */
export function postgresLoader({ address, schema, signal }: PostgresTarget): Loader {
  const target = describePostgres(address);
  const withServer = async <T>(work: (postgres: Postgres) => Promise<T>): Promise<T> => {
    const postgres = await openPostgres(address, signal);
    try {
      await checkEncoding(postgres, target);
      return await work(postgres);
    } finally {
      await postgres.close();
    }
  };
  return {
    target,
    check: () => withServer(async () => {}),
    async load({ source, staging }) {
      const { manifest } = source;
      const files = await fetchFiles(source, { staging, signal });
      const copies = await copyFiles({ source, files, staging, signal });
      await checkUnchanged(source);
      await withServer(async (postgres) => {
        await begin(postgres, { schema, target });
        await prepare(postgres, schema);
        checkReplaces(manifest, await standing(postgres, schema, manifest.run_date));
        const partitions: Partition[] = [];
        for (const copy of copies) {
          const partition = partitionOf(copy, schema, manifest.run_date);
          await build(postgres, partition);
          partitions.push(partition);
        }
        for (const partition of partitions) await putInPlace(postgres, partition);
        await postgres.rows(`DELETE FROM ${name(schema, snapshotsTable.name)} WHERE run_date = $1`, [
          manifest.run_date,
        ]);
        await postgres.rows(
          insertSnapshot({ dialect: postgresDialect, schema, row: snapshotRow(manifest), now: 'now()' }),
        );
        await postgres.rows('COMMIT');
      });
      const repaired = copies.reduce((sum, copy) => sum + copy.repaired, 0);
      return repaired === 0
        ? []
        : [`${repaired} values held U+0000, which PostgreSQL cannot: it is U+FFFD there`];
    },
  };
}

async function checkEncoding(postgres: Postgres, target: string): Promise<void> {
  const [row] = await postgres.rows('SHOW server_encoding');
  if (row?.server_encoding === 'UTF8') return;
  throw new WarehouseError(
    `${target} has the encoding ${row?.server_encoding}, which does not hold every name. Load into a database made with ENCODING 'UTF8'.`,
    { code: 'postgres_encoding', failure: 'config' },
  );
}

/** Readers that hold a table may keep the last step waiting, and those behind it, for no longer than this. */
const LOCK_LIMIT = '60s';

/** @throws LockedError when another load of this schema is under way */
async function begin(
  postgres: Postgres,
  { schema, target }: { schema: string; target: string },
): Promise<void> {
  await postgres.rows('BEGIN');
  await postgres.rows(`SET LOCAL lock_timeout = '${LOCK_LIMIT}'`);
  await postgres.rows('SET LOCAL statement_timeout = 0');
  await postgres.rows('SET LOCAL idle_in_transaction_session_timeout = 0');
  const [row] = await postgres.rows('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken', [
    `claude-compliance-connector:${schema}`,
  ]);
  if (row?.taken === true) return;
  throw new LockedError(
    `Another load into the schema ${schema} of ${target} is under way. Run the same command again when it has ended.`,
  );
}

/** Makes what is not there; once it stands, nothing is touched, so that no reader is kept waiting. */
async function prepare(postgres: Postgres, schema: string): Promise<void> {
  const lastMade = snapshotTables.at(-1)?.currentView;
  const [row] = await postgres.rows('SELECT to_regclass($1) AS made', [name(schema, lastMade)]);
  if (row?.made !== null) return;
  const [found] = await postgres.rows('SELECT to_regnamespace($1) AS schema', [name(schema)]);
  if (found?.schema === null) await postgres.rows(`CREATE SCHEMA ${name(schema)}`);
  for (const table of tables) {
    const tail = table === snapshotsTable ? '' : `PARTITION BY LIST (${name(table.dateColumn)})`;
    await postgres.rows(createTable({ dialect: postgresDialect, table, schema, tail }));
    for (const statement of commentStatements(table, postgresDialect, schema)) await postgres.rows(statement);
  }
  for (const table of snapshotTables) await postgres.rows(createCurrentView(table, postgresDialect, schema));
}

async function standing(postgres: Postgres, schema: string, runDate: string): Promise<Standing | undefined> {
  const [row] = await postgres.rows(
    `SELECT status, scope FROM ${name(schema, snapshotsTable.name)} WHERE run_date = $1`,
    [runDate],
  );
  return row as Standing | undefined;
}

/** One run date of one table. */
interface Partition {
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

function partitionOf(copy: CopyFile, schema: string, runDate: string): Partition {
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

/** Fills a table that nobody sees yet. FREEZE: its rows are as old as it is, so nothing is left for a later vacuum. */
async function build(postgres: Postgres, { copy, parent, aside, day, dateColumn }: Partition): Promise<void> {
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
async function putInPlace(postgres: Postgres, partition: Partition): Promise<void> {
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
