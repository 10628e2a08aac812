import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../../../src/index.js';
import { columnNames, commentStatements, createTable } from '../ddl.js';
import { heldOf, heldSql } from '../held.js';
import type { Loader } from '../loader.js';
import { snapshotsTable, tables, tablesOf } from '../model.js';
import { checkReplaces, type Existing } from '../replacement.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { fetchFiles, type LocalFile } from '../source/local-files.js';
import { relation } from '../source/relation.js';
import { checkRows } from '../source/row-check.js';
import { checkUnchanged, type SnapshotSource } from '../source/snapshot-source.js';
import { createViews } from '../views.js';
import { type Duckdb, openDuckdb } from './connection.js';
import { duckdbDialect } from './dialect.js';

const { name, value } = duckdbDialect.quoting;

interface DuckdbTarget {
  /** The file. */
  database: string;
  schema: string;
  signal: AbortSignal;
}

/** Loads into a DuckDB file in one transaction: its readers see the old rows or the new. */
export function duckdbLoader({ database, schema, signal }: DuckdbTarget): Loader {
  const withDatabase = async <T>(work: (duckdb: Duckdb) => Promise<T>): Promise<T> => {
    const duckdb = await openDuckdb(database, signal);
    try {
      return await work(duckdb);
    } finally {
      duckdb.close();
    }
  };
  return {
    target: database,
    async check() {
      if (await exists(database)) await withDatabase(async () => {});
      else await checkFolder(database);
    },
    async held() {
      if (!(await exists(database))) return new Map();
      return await withDatabase(async (duckdb) => {
        await prepare(duckdb, schema);
        return heldOf(await duckdb.rows(heldSql(duckdbDialect, schema)));
      });
    },
    async load({ source, scratch }) {
      const files = await fetchFiles(source, { scratch, signal });
      await withDatabase(async (duckdb) => {
        await duckdb.run('BEGIN');
        await prepare(duckdb, schema);
        checkReplaces(source.manifest, await findExisting(duckdb, schema, source.manifest.run_date));
        await replace(duckdb, schema, { source, files });
        await checkUnchanged(source);
        await duckdb.run('COMMIT');
        await duckdb.run('CHECKPOINT');
      });
      return [];
    },
  };
}

async function prepare(duckdb: Duckdb, schema: string): Promise<void> {
  await duckdb.run(`CREATE SCHEMA IF NOT EXISTS ${name(schema)}`);
  for (const table of tables) {
    await duckdb.run(createTable({ dialect: duckdbDialect, table, schema }));
    for (const statement of commentStatements(table, duckdbDialect, schema)) await duckdb.run(statement);
  }
  for (const statement of createViews(duckdbDialect, schema)) await duckdb.run(statement);
}

async function findExisting(duckdb: Duckdb, schema: string, runDate: string): Promise<Existing | undefined> {
  const [row] = await duckdb.rows(
    `SELECT status, scope FROM ${name(schema, snapshotsTable.name)} WHERE run_date = ${day(runDate)} LIMIT 1`,
  );
  return row as Existing | undefined;
}

interface Rows {
  source: SnapshotSource;
  files: readonly LocalFile[];
}

async function replace(
  duckdb: Duckdb,
  schema: string,
  { source: { manifest, manifestSha256 }, files }: Rows,
): Promise<void> {
  const date = day(manifest.run_date);
  for (const table of tables) {
    await duckdb.run(`DELETE FROM ${name(schema, table.name)} WHERE ${name(table.dateColumn)} = ${date}`);
  }
  for (const table of tablesOf(manifest)) {
    const target = name(schema, table.name);
    const rows = relation({ manifest, table, files });
    await duckdb.run(`INSERT INTO ${target} (${columnNames(table, duckdbDialect.quoting)}) ${rows}`);
    await checkRows({ duckdb, manifest, table, from: target });
  }
  const own = { manifest, manifestSha256, dialect: duckdbDialect, schema, now: 'now()' };
  for (const statement of insertOwnRows(own)) await duckdb.run(statement);
}

async function checkFolder(database: string): Promise<void> {
  await access(dirname(database), constants.W_OK).catch((cause: unknown) => {
    throw new ConfigError(
      `${database} cannot be made: its folder is absent or may not be written (${(cause as NodeJS.ErrnoException).code}).`,
      { code: 'database_folder', cause },
    );
  });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const day = (runDate: string): string => `CAST(${value(runDate)} AS DATE)`;
