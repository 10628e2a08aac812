import { join } from 'node:path';
import { type Duckdb, openDuckdb } from './duckdb.js';
import { duckdbDialect } from './duckdb-dialect.js';
import type { LocalFile } from './local-files.js';
import { type Column, type SnapshotTable, snapshotTables } from './model.js';
import { relation } from './relation.js';
import { checkRows } from './row-check.js';
import type { SnapshotSource } from './snapshot-source.js';

const { name, value } = duckdbDialect.quoting;

/** A table's rows as a file that `COPY … (FORMAT csv)` takes. */
export interface CopyFile {
  table: SnapshotTable;
  path: string;
  rows: number;
  /** Values in which U+0000, which PostgreSQL holds nowhere, became U+FFFD. */
  repaired: number;
}

interface TextRequest {
  source: SnapshotSource;
  files: readonly LocalFile[];
  /** Where the files are written, and where DuckDB may put what does not fit into memory. */
  staging: string;
  signal: AbortSignal;
}

/** Makes the files of both tables, through DuckDB, which reads every format fast and checks the rows on the way. */
export async function copyFiles({ source, files, staging, signal }: TextRequest): Promise<CopyFile[]> {
  const { manifest } = source;
  const duckdb = await openDuckdb(':memory:', signal);
  try {
    await duckdb.run(`SET temp_directory = ${value(join(staging, 'duckdb'))}`);
    const written: CopyFile[] = [];
    for (const table of snapshotTables) {
      const rows = `(${relation({ manifest, table, files })})`;
      await checkRows({ duckdb, manifest, table, from: rows });
      const path = join(staging, `${table.name}.csv`);
      const columns = table.columns.map((column) => `${cell(column)} AS ${name(column.name)}`).join(', ');
      await duckdb.run(
        `COPY (SELECT ${columns} FROM ${rows}) TO ${value(path)} (FORMAT csv, HEADER false, NULLSTR '', FORCE_QUOTE *)`,
      );
      const count = files.reduce((sum, file) => sum + (file.table === table.stream ? file.rows : 0), 0);
      written.push({ table, path, rows: count, repaired: await countRepairs(duckdb, table, rows) });
    }
    return written;
  } finally {
    duckdb.close();
  }
}

/** A value as PostgreSQL reads it. */
function cell({ name: column, type }: Column): string {
  const text = name(column);
  if (type === 'string') return `replace(${text}, chr(0), chr(65533))`;
  if (type === 'json') return withoutNul(`CAST(${text} AS VARCHAR)`);
  if (type === 'timestamp') return timestampText(text);
  return text;
}

/**
 * `\u0000` in JSON text as `\ufffd`. Escaped backslashes are set aside meanwhile, as a character that JSON text never
 * holds: in `\\u0000` nothing is escaped but the backslash.
 */
const withoutNul = (json: string): string =>
  `replace(replace(replace(${json}, '\\\\', chr(1)), '\\u0000', '\\ufffd'), chr(1), '\\\\')`;

/** The year 0 and those before it, which PostgreSQL counts as years before Christ: 0 is 1 BC. */
function timestampText(column: string): string {
  const utc = `CAST(${column} AS TIMESTAMP)`; // the calendar of RFC 3339, also before 1582
  const beforeChrist = `format('{:04d}', 1 - year(${utc})) || strftime(${utc}, '-%m-%d %H:%M:%S.%f') || '+00 BC'`;
  return `CASE WHEN ${utc} < TIMESTAMP '0001-01-01' THEN ${beforeChrist} ELSE strftime(${utc}, '%Y-%m-%d %H:%M:%S.%f') || '+00' END`;
}

async function countRepairs(duckdb: Duckdb, { columns }: SnapshotTable, from: string): Promise<number> {
  const counts = columns.flatMap(({ name: column, type }) => {
    if (type === 'string') return [`count(*) FILTER (contains(${name(column)}, chr(0)))`];
    if (type !== 'json') return [];
    const json = `CAST(${name(column)} AS VARCHAR)`;
    return [`count(*) FILTER (${withoutNul(json)} <> ${json})`];
  });
  const [row] = await duckdb.rows(`SELECT ${counts.join(' + ')} AS repaired FROM ${from}`);
  return Number(row?.repaired);
}
