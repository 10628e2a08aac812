import { LockedError } from '../../../src/index.js';
import { commentStatements, createTable } from '../ddl.js';
import { WarehouseError } from '../error.js';
import { heldOf, heldSql } from '../held.js';
import type { Loader } from '../loader.js';
import { listTables, snapshotsTable, snapshotTables, type Table, tables } from '../model.js';
import { checkReplaces, type Existing } from '../replacement.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { fetchFiles } from '../source/local-files.js';
import { checkUnchanged } from '../source/snapshot-source.js';
import { createViews, viewNames } from '../views.js';
import type { PostgresAddress } from './address.js';
import { openPostgres, type Postgres } from './connection.js';
import { copyFiles } from './copy-files.js';
import { setCurrentAccess } from './current-access.js';
import { postgresDialect } from './dialect.js';
import { describePostgres } from './error.js';
import { attach, build, drop, partitionOf } from './partition.js';

const { name } = postgresDialect.quoting;

/** Those without partitions: they have few rows. */
const PLAIN_TABLES: readonly Table[] = [snapshotsTable, ...listTables];

interface PostgresTarget {
  address: PostgresAddress;
  schema: string;
  signal: AbortSignal;
}

/**
 * Loads into PostgreSQL: the partitions of the run date are built where nobody sees them and attached at the end of one
 * transaction, so that readers wait for that last moment only.
 */
export function postgresLoader({ address, schema, signal }: PostgresTarget): Loader {
  const target = describePostgres(address);
  const withServer = async <T>(work: (postgres: Postgres) => Promise<T>): Promise<T> => {
    const postgres = await openPostgres(address, signal);
    try {
      await checkServer(postgres, target);
      return await work(postgres);
    } finally {
      await postgres.close();
    }
  };
  return {
    target,
    check: () => withServer(async () => {}),
    held: () =>
      withServer(async (postgres) => {
        await begin(postgres, { schema, target });
        await prepare(postgres, schema);
        await postgres.rows('COMMIT');
        return heldOf(await postgres.rows(heldSql(postgresDialect, schema)));
      }),
    async load({ source, scratch }) {
      const { manifest, manifestSha256 } = source;
      const files = await fetchFiles(source, { scratch, signal });
      const copies = await copyFiles({ source, files, scratch, signal });
      await checkUnchanged(source);
      await withServer(async (postgres) => {
        await begin(postgres, { schema, target });
        await prepare(postgres, schema);
        checkReplaces(manifest, await findExisting(postgres, schema, manifest.run_date));
        const partitions = snapshotTables.map((table) => partitionOf(table, schema, manifest.run_date));
        for (const partition of partitions) {
          const copy = copies.get(partition.table);
          if (copy) await build(postgres, partition, copy);
        }
        for (const partition of partitions) {
          await drop(postgres, partition);
          if (copies.has(partition.table)) await attach(postgres, partition);
        }
        for (const table of PLAIN_TABLES) {
          await postgres.rows(
            `DELETE FROM ${name(schema, table.name)} WHERE ${name(table.dateColumn)} = $1`,
            [manifest.run_date],
          );
        }
        const own = { manifest, manifestSha256, dialect: postgresDialect, schema, now: 'now()' };
        for (const statement of insertOwnRows(own)) await postgres.rows(statement);
        await setCurrentAccess(postgres, schema);
        await postgres.rows('COMMIT');
      });
      const repaired = [...copies.values()].reduce((sum, copy) => sum + copy.repaired, 0);
      return repaired === 0
        ? []
        : [`${repaired} values held U+0000, which PostgreSQL cannot hold: it is U+FFFD there`];
    },
  };
}

/** The first with keys in which nulls are equal. */
const OLDEST_VERSION = 15;

/** @throws WarehouseError `postgres_version`, `postgres_encoding` */
async function checkServer(postgres: Postgres, target: string): Promise<void> {
  const [version] = await postgres.rows('SHOW server_version_num');
  const major = Math.trunc(Number(version?.server_version_num) / 10_000);
  if (major < OLDEST_VERSION) {
    throw new WarehouseError(
      `${target} has the version ${major}; loads need ${OLDEST_VERSION} or newer. Load into a newer server.`,
      { code: 'postgres_version', failure: 'config' },
    );
  }
  const [row] = await postgres.rows('SHOW server_encoding');
  if (row?.server_encoding === 'UTF8') return;
  throw new WarehouseError(
    `${target} has the encoding ${row?.server_encoding}, which does not hold every name. Load into a database made with ENCODING 'UTF8'.`,
    { code: 'postgres_encoding', failure: 'config' },
  );
}

/** Readers of a table may delay the last step, and the readers that wait behind it, for no longer than this. */
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

/** Makes what is missing. When all is there nothing is touched, so that no reader waits. */
async function prepare(postgres: Postgres, schema: string): Promise<void> {
  const [row] = await postgres.rows(
    'SELECT bool_and(to_regclass(view) IS NOT NULL) AS made FROM unnest($1::text[]) AS view',
    [viewNames(postgresDialect).map((view) => name(schema, view))],
  );
  if (row?.made === true) return;
  const [found] = await postgres.rows('SELECT to_regnamespace($1) AS schema', [name(schema)]);
  if (found?.schema === null) await postgres.rows(`CREATE SCHEMA ${name(schema)}`);
  for (const table of tables) {
    const tail = PLAIN_TABLES.includes(table) ? '' : `PARTITION BY LIST (${name(table.dateColumn)})`;
    await postgres.rows(createTable({ dialect: postgresDialect, table, schema, tail }));
    for (const statement of commentStatements(table, postgresDialect, schema)) await postgres.rows(statement);
  }
  for (const statement of createViews(postgresDialect, schema)) await postgres.rows(statement);
}

async function findExisting(
  postgres: Postgres,
  schema: string,
  runDate: string,
): Promise<Existing | undefined> {
  const [row] = await postgres.rows(
    `SELECT status, scope FROM ${name(schema, snapshotsTable.name)} WHERE run_date = $1 LIMIT 1`,
    [runDate],
  );
  return row as Existing | undefined;
}
