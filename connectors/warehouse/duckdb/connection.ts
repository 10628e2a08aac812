import { chmod, stat } from 'node:fs/promises';
import { ConfigError, LockedError } from '../../../src/index.js';
import { WarehouseError } from '../error.js';
import { statements } from '../statements.js';

/** A row as DuckDB gives it: counts are bigint. */
export type DuckdbRow = Readonly<Record<string, unknown>>;

/** A connection to a DuckDB database; errors of the engine come out as ours. */
export interface Duckdb {
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<DuckdbRow[]>;
  close(): void;
}

/** Reads no settings from elsewhere and downloads nothing: what is built in is enough. */
const OPTIONS = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };

/**
 * Opens a database, `:memory:` or a file, which is made when it is absent (0600: it is to hold personal data).
 * @throws ConfigError `duckdb_missing`, `database_invalid`; LockedError when another process holds it
 */
export async function openDuckdb(database: string, signal: AbortSignal): Promise<Duckdb> {
  const isNew = database !== ':memory:' && !(await exists(database));
  const { DuckDBInstance } = await load();
  const instance = await DuckDBInstance.create(database, OPTIONS).catch((error: unknown) => {
    throw openError(database, error);
  });
  if (isNew) await chmod(database, 0o600);
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  signal.addEventListener('abort', interrupt);
  const doing = statements(signal, (error) => statementError(database, error));
  await connection.run("SET TimeZone = 'UTC'");
  return {
    run: async (sql) => {
      await doing(() => connection.run(sql));
    },
    rows: async (sql) => await doing(async () => (await connection.runAndReadAll(sql)).getRowObjectsJS()),
    close() {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function load() {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new ConfigError(
      'Loading needs DuckDB, which is not installed here: npm install @duckdb/node-api@1.5.5-r.5 (it has no build for every platform).',
      { code: 'duckdb_missing', cause },
    );
  }
}

function openError(database: string, cause: unknown): Error {
  const { message } = cause as Error;
  if (/could not set lock|conflicting lock/i.test(message)) {
    const holder = /\(PID (\d+)\)/.exec(message)?.[1];
    return new LockedError(
      `${database} is in use by another process${holder === undefined ? '' : ` (pid ${holder})`}, and DuckDB lets only one process write. Close it there, then run the same command again.`,
    );
  }
  return new ConfigError(
    `${database} cannot be opened as a DuckDB database (${kindOf(cause)}). Check the path and its folder, and that it was not written by a newer DuckDB.`,
    { code: 'database_invalid', cause },
  );
}

/** The engine's own text may quote the data: only its kind is reported. */
const statementError = (database: string, cause: unknown): WarehouseError =>
  new WarehouseError(
    `Loading into ${database === ':memory:' ? "the load's own DuckDB" : database} failed (${kindOf(cause)}). Nothing was changed in the database.`,
    { code: 'database_failed', cause },
  );

const kindOf = (cause: unknown): string =>
  /^[A-Z][A-Za-z -]* Error/.exec((cause as Error).message)?.[0] ?? 'unknown error';

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
