import { LockedError } from '../../src/index.js';
import { commentStatements, createCurrentView, createTable, insertSnapshot } from './ddl.js';
import type { Loader } from './loader.js';
import { fetchFiles } from './local-files.js';
import { snapshotRow, snapshotsTable, snapshotTables, tables } from './model.js';
import { openPostgres, type Postgres } from './postgres.js';
import type { PostgresAddress } from './postgres-address.js';
import { postgresDialect } from './postgres-dialect.js';
import { describePostgres } from './postgres-error.js';
import { build, type Partition, partitionOf, putInPlace } from './postgres-partition.js';
import { copyFiles } from './postgres-text.js';
import { checkReplaces, type Standing } from './replacement.js';
import { checkUnchanged } from './snapshot-source.js';
import { WarehouseError } from './warehouse-error.js';

const { name } = postgresDialect.quoting;

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
