import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Manifest, Row, Stream } from '../../../src/index.js';
import type { ReadRow } from '../../sinks/readers.js';

/** The current manifest of a day, by the copy that is there for simple readers. */
export const manifestOf = async (root: string, runDate: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, `_runs/run_date=${runDate}/manifest.json`), 'utf8')) as Manifest;

/** The paths of a table's files. */
export async function filesOf(root: string, { name }: Stream, runDate: string): Promise<string[]> {
  const { tables } = await manifestOf(root, runDate);
  const { files = [], slices = [] } = tables[name] ?? {};
  return [...files, ...slices.flatMap((slice) => slice.files)].map(({ path }) => path);
}

/** The rows of a table in a root of NDJSON files, by JSON.parse. */
export async function rowsOf(root: string, stream: Stream, runDate: string): Promise<Row[]> {
  const texts = await Promise.all(
    (await filesOf(root, stream, runDate)).map((path) => readFile(join(root, path), 'utf8')),
  );
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row),
  );
}

/** A row of JSON whose instants are in UTC, and whose JSON of any shape is text, as a query returns it. */
export const typedRow = ({ schema }: Stream, data: ReadRow): ReadRow =>
  Object.fromEntries(
    schema.fields.map(({ name, type, shape }) => {
      const value = data[name];
      if (typeof value !== 'string') return [name, value];
      if (type === 'json' && !shape) return [name, JSON.parse(value)];
      if (type === 'timestamp') return [name, micros(value)];
      return [name, type === 'date' ? Date.parse(value) / 86_400_000 : value];
    }),
  );

function micros(utc: string): bigint {
  const [second = '', fraction = ''] = utc.replace('Z', '').split('.');
  return BigInt(Date.parse(`${second}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

/** The columns of a stream, as a query returns values that can be compared: instants in microseconds, days in days. */
const comparable = ({ schema }: Stream): string[] =>
  schema.fields.map(({ name, type }) => {
    if (type === 'timestamp') return `epoch_us(${name}) AS ${name}`;
    if (type === 'date') return `datediff('day', DATE '1970-01-01', ${name})::INTEGER AS ${name}`;
    return type === 'json' ? `${name}::VARCHAR AS ${name}` : name;
  });

/** A database, and what is to be run in it first. Default: an empty one in memory. */
interface Database {
  database?: string;
  prepare?: readonly string[];
}

/** The rows of a stream as DuckDB reads them. @param from what follows `FROM` */
export async function queriedRows(
  stream: Stream,
  from: string,
  { database = ':memory:', prepare = [] }: Database = {},
): Promise<ReadRow[]> {
  const instance = await DuckDBInstance.create(database);
  const connection = await instance.connect();
  try {
    for (const statement of prepare) await connection.run(statement);
    const rows = await connection.runAndReadAll(`SELECT ${comparable(stream)} FROM ${from}`);
    const ofJson = stream.schema.fields.filter(({ type }) => type === 'json').map(({ name }) => name);
    return rows.getRowObjectsJS().map((row) => {
      const values = ofJson.map((name) => [name, row[name] === null ? null : JSON.parse(String(row[name]))]);
      return { ...row, ...Object.fromEntries(values) };
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The rows of a table in a root of Parquet files, as DuckDB reads them. */
export async function parquetRowsOf(root: string, stream: Stream, runDate: string): Promise<ReadRow[]> {
  const paths = (await filesOf(root, stream, runDate)).map((path) => `'${join(root, path)}'`);
  if (paths.length === 0) return [];
  return await queriedRows(stream, `read_parquet([${paths}], hive_partitioning = false)`);
}
