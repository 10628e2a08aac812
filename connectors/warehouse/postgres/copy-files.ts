import { join } from 'node:path';
import { type Duckdb, openDuckdb } from '../duckdb/connection.js';
import { duckdbDialect } from '../duckdb/dialect.js';
import { type Column, type SnapshotTable, tablesOf } from '../model.js';
import type { LocalFile } from '../source/local-files.js';
import { relation } from '../source/relation.js';
import { checkRows } from '../source/row-check.js';
import type { SnapshotSource } from '../source/snapshot-source.js';

const { name, value } = duckdbDialect.quoting;

/** A table's rows as a file that `COPY … (FORMAT csv)` takes. */
export interface CopyFile {
  path: string;
  rows: number;
  /** Values in which U+0000, which PostgreSQL holds nowhere, became U+FFFD. */
  repaired: number;
}

interface CopyRequest {
  source: SnapshotSource;
  files: readonly LocalFile[];
  /** Where the files are written, and where DuckDB may put what does not fit into memory. */
  scratch: string;
  signal: AbortSignal;
}

/**
 * Makes a file for each table of the snapshot, through DuckDB, which reads every format fast and checks the rows on the
 * way.
 * @returns the files by table
 */
export async function copyFiles(request: CopyRequest): Promise<Map<SnapshotTable, CopyFile>> {
  const { source, files, scratch, signal } = request;
  const { manifest } = source;
  const duckdb = await openDuckdb(':memory:', signal);
  try {
    await duckdb.run(`SET temp_directory = ${value(join(scratch, 'duckdb'))}`);
    const written = new Map<SnapshotTable, CopyFile>();
    for (const table of tablesOf(manifest)) {
      const from = `(${relation({ manifest, table, files })})`;
      await checkRows({ duckdb, manifest, table, from });
      const path = join(scratch, `${table.name}.csv`);
      const columns = table.columns.map((column) => `${cell(column)} AS ${name(column.name)}`).join(', ');
      await duckdb.run(
        `COPY (SELECT ${columns} FROM ${from}) TO ${value(path)} (FORMAT csv, HEADER false, NULLSTR '', FORCE_QUOTE *)`,
      );
      const rows = manifest.tables[table.stream]?.rows ?? 0;
      written.set(table, { path, rows, repaired: await countRepairs(duckdb, table, from) });
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
 * `\u0000` in JSON text as `\ufffd`. Escaped backslashes are another character meanwhile, which JSON text never
 * holds: in `\\u0000` nothing is escaped but the backslash.
 */
const withoutNul = (json: string): string =>
  `replace(replace(replace(${json}, '\\\\', chr(1)), '\\u0000', '\\ufffd'), chr(1), '\\\\')`;

/** PostgreSQL counts the year 0 and those before it as years before Christ: 0 is 1 BC. */
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
