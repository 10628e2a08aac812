import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from '@uwdata/flechette';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Field, FieldType, StreamSchema } from '../../src/model/schema.js';
import { DUCKDB_SOURCES } from '../duckdb-sources.js';

/** What a cell of a file holds: text, microseconds since 1970, days since 1970, parsed JSON, or null. */
export type Cell = unknown;
export type ReadRow = Record<string, Cell>;

/** Another implementation than the one that wrote the file. */
export interface Reader {
  name: string;
  read(file: Uint8Array, extension: string, schema: StreamSchema): Promise<ReadRow[]>;
  /** What it makes of a row, where it cannot distinguish two values. */
  sees?(row: ReadRow): ReadRow;
}

const parseJson = (text: unknown) => (text === null ? null : JSON.parse(String(text)));

/** Brings the values of a reader to the form of `Cell`. */
function cells(
  rows: readonly ReadRow[],
  { fields }: StreamSchema,
  to: Partial<Record<FieldType, (v: never) => Cell>>,
) {
  const cell = ({ name, type }: Field, row: ReadRow) => {
    const value = row[name] ?? null;
    return value === null ? null : (to[type]?.(value as never) ?? value);
  };
  return rows.map((row) => Object.fromEntries(fields.map((field) => [field.name, cell(field, row)])));
}

/** One database for all files that a test file reads: making it takes longer than most queries. */
let connection: Promise<DuckDBConnection> | undefined;
const connect = async () => await (await DuckDBInstance.create()).connect();

/** Runs one query over one file with DuckDB. */
export async function queryFile(
  file: Uint8Array,
  extension: string,
  query: (path: string) => string,
): Promise<ReadRow[]> {
  connection ??= connect();
  const folder = await mkdtemp(join(tmpdir(), 'sinks-'));
  const path = join(folder, `part.${extension}`);
  try {
    await writeFile(path, file);
    return (await (await connection).runAndReadAll(query(path))).getRowObjectsJS();
  } finally {
    await rm(folder, { recursive: true });
  }
}

const DUCKDB_TYPED: Record<FieldType, (name: string) => string> = {
  string: (name) => name,
  json: (name) => name,
  boolean: (name) => name,
  timestamp: (name) => `epoch_us(${name}) AS ${name}`,
  date: (name) => `datediff('day', DATE '1970-01-01', ${name}) AS ${name}`,
};

const duckDbParquet: Reader = {
  name: 'DuckDB',
  async read(file, extension, schema) {
    const columns = schema.fields.map(({ name, type }) => DUCKDB_TYPED[type](name));
    const source = (path: string) => DUCKDB_SOURCES.parquet(path, schema);
    const rows = await queryFile(file, extension, (path) => `SELECT ${columns} FROM ${source(path)}`);
    return cells(rows, schema, { json: parseJson, date: Number });
  },
};

const duckDbCsv: Reader = {
  name: 'DuckDB',
  async read(file, extension, schema) {
    const rows = await queryFile(file, extension, (path) => `FROM ${DUCKDB_SOURCES.csv(path, schema)}`);
    return cells(rows, schema, { json: parseJson, boolean: (text: string) => text === 'true' });
  },
};

const duckDbNdjson: Reader = {
  name: 'DuckDB',
  async read(file, extension, schema) {
    const rows = await queryFile(file, extension, (path) => `FROM ${DUCKDB_SOURCES.ndjson(path, schema)}`);
    return cells(rows, schema, { json: parseJson });
  },
  sees: (row) => JSON.parse(JSON.stringify(row)), // 0 for -0
};

const lineByLine: Reader = {
  name: 'JSON.parse',
  read: async (file, extension) =>
    (extension.endsWith('.gz') ? gunzipSync(file) : Buffer.from(file))
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
};

const hyparquet: Reader = {
  name: 'hyparquet',
  async read(file, _extension, schema) {
    const { buffer, byteOffset, byteLength } = new Uint8Array(file);
    const rows = await parquetReadObjects({
      file: buffer.slice(byteOffset, byteOffset + byteLength),
      compressors,
      // The default goes through Date and would cut to milliseconds.
      parsers: { timestampFromMicroseconds: (micros) => micros, dateFromDays: (days) => days },
    });
    return cells(rows, schema, { json: parseJson });
  },
};

const flechette: Reader = {
  name: 'flechette',
  async read(file, _extension, schema) {
    const rows = tableFromIPC(file, { useBigIntTimestamp: true }).toArray() as ReadRow[];
    return cells(rows, schema, { json: parseJson, date: (millis: number) => millis / 86_400_000 });
  },
};

/** By the `format` of a sink: who else can read its files. */
export const readersOf: Readonly<Record<string, readonly Reader[]>> = {
  parquet: [duckDbParquet, hyparquet],
  csv: [duckDbCsv],
  ndjson: [duckDbNdjson, lineByLine],
  arrow: [flechette],
};
