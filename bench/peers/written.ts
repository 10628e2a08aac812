import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from '@uwdata/flechette';

/** How the rows that a program wrote are read back, and the files with the users, by their paths below its output. */
export interface Rows {
  reader: keyof typeof READERS;
  files: RegExp;
}

/** What an independent reader found. */
export interface Written {
  rows: number;
  /** Of the files with the users. */
  bytes: number;
  files: number;
}

const list = (files: readonly string[]): string => `[${files.map((file) => `'${file}'`).join()}]`;

/** SQL that gives the ids of all users, one in a row. */
const READERS = {
  parquet: (files: readonly string[]) => `SELECT id FROM read_parquet(${list(files)}, union_by_name = true)`,
  csv: (files: readonly string[]) =>
    `SELECT id FROM read_csv(${list(files)}, header = true, all_varchar = true)`,
  ndjson: (files: readonly string[]) =>
    `SELECT id FROM read_ndjson(${list(files)}, columns = {id: 'VARCHAR'})`,
  singer: (files: readonly string[]) => `
    SELECT record.id AS id FROM read_ndjson(${list(files)},
      columns = {type: 'VARCHAR', stream: 'VARCHAR', record: 'STRUCT(id VARCHAR)'})
    WHERE type = 'RECORD' AND stream = 'users'`,
  airbyte: (files: readonly string[]) => `
    SELECT record.data.id AS id FROM read_ndjson(${list(files)},
      columns = {type: 'VARCHAR', record: 'STRUCT(stream VARCHAR, data STRUCT(id VARCHAR))'})
    WHERE type = 'RECORD' AND record.stream = 'users'`,
  arrow: undefined,
  printed: undefined,
} as const;

/**
 * Counts the users that a program wrote, by a reader that is not its own, and their bytes.
 * @throws when an id is missing or occurs twice: the page server gives each user another
 */
export async function written(out: string, { reader, files: wanted }: Rows): Promise<Written> {
  const names = (await readdir(out, { recursive: true })).filter((name) => wanted.test(name));
  if (names.length === 0) throw new Error(`there is no file ${wanted}`);
  const files = names.map((name) => join(out, name));
  if (reader === 'printed')
    return { rows: Number(await readFile(join(out, 'stdout'), 'utf8')), bytes: 0, files: 0 };
  const { rows, ids } = reader === 'arrow' ? await countArrow(files) : await count(READERS[reader](files));
  if (ids !== rows) throw new Error(`${rows} rows have ${ids} different ids`);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return { rows, bytes: sizes.reduce((sum, size) => sum + size, 0), files: files.length };
}

async function count(ids: string): Promise<{ rows: number; ids: number }> {
  const [row] = await query(`SELECT count(*)::DOUBLE, count(DISTINCT id)::DOUBLE FROM (${ids})`);
  const [rows, different] = row as [number, number];
  return { rows, ids: different };
}

/** Asks a DuckDB of its own. */
export async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function countArrow(files: readonly string[]): Promise<{ rows: number; ids: number }> {
  let rows = 0;
  const ids = new Set<string>();
  for (const file of files) {
    const table = tableFromIPC(await readFile(file));
    rows += table.numRows;
    for (const id of table.getChild('id') as Iterable<string>) ids.add(id);
  }
  return { rows, ids: ids.size };
}
