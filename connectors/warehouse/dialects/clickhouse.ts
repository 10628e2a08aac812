import { columnNames, createTable, type Dialect, insertSnapshot } from '../ddl.js';
import { snapshotRow, snapshotsTable, type Table, tables } from '../model.js';
import { quoting } from '../sql.js';
import { currentViews, explained, partsOf, pieces, type ScriptDialect, type TablePart } from './script.js';

/** `extra` stays text, for the JSON functions: ClickHouse's JSON type drops nulls and the order of names. */
const dialect: Dialect = {
  quoting: quoting('`', 'doubled'),
  comments: {
    column: (text) => `COMMENT ${text}`,
    table: (text) => `COMMENT ${text}`,
    position: 'after tail',
  },
  notNull: false,
  nullable: (type) => `Nullable(${type})`,
  types: {
    string: 'String',
    timestamp: "DateTime64(6, 'UTC')",
    date: 'Date32',
    json: 'String',
    count: 'UInt64',
    boolean: 'Bool',
  },
};
const { name, value } = dialect.quoting;

/** The server expands at most 1,000 names in one pattern. */
const FILES_PER_INSERT = 500;

/** Instants outside of this are stored wrong, and without a word. */
const YEARS = [1900, 2299] as const;

export const clickhouse: ScriptDialect = {
  name: 'clickhouse',
  locations: /^(s3:\/\/|gs:\/\/|https:\/\/|\/)[A-Za-z0-9._/=~%-]+$/,
  locationHint:
    's3://bucket/prefix, gs://bucket/prefix, an https:// address of a bucket, or a folder of the server',
  write({ manifest, schema, location }) {
    const day = value(manifest.run_date);
    const parts = partsOf(manifest);
    const load = ({ table }: TablePart): string => name(schema, `${table.stream}_load`);
    const fill = (part: TablePart): string[] => [
      `CREATE OR REPLACE TABLE ${load(part)} AS ${name(schema, part.table.name)}`,
      ...pieces(part.files, FILES_PER_INSERT).map(
        (piece) => `INSERT INTO ${load(part)} (${columnNames(part.table, dialect.quoting)})
SELECT ${columnNames(part.table, dialect.quoting)}
FROM ${reader(location)}(${value(patternOf(piece, location))}, 'Parquet', ${value(structureOf(part.table))})`,
      ),
      `SELECT throwIf(count() != ${value(part.rows)}, ${value(`the files of ${part.table.stream} do not hold the rows that the manifest counts`)}) FROM ${load(part)}`,
      `SELECT throwIf(countIf(toYear(${name('created_at')}) NOT BETWEEN ${YEARS[0]} AND ${YEARS[1]}) > 0, ${value(`a created_at of ${part.table.stream} is out of the years that DateTime64 holds`)}) FROM ${load(part)}`,
    ];
    return {
      statements: [
        `CREATE DATABASE IF NOT EXISTS ${name(schema)}`,
        ...tables.map((table) => createTable({ dialect, table, schema, tail: tailOf(table) })),
        ...currentViews(dialect, schema),
        ...parts.flatMap(fill),
        explained(
          'There is no transaction over several tables: the day is out of the views until its last row stands.',
          `ALTER TABLE ${name(schema, snapshotsTable.name)} DROP PARTITION ${day}`,
        ),
        ...parts.map(
          (part) =>
            `ALTER TABLE ${name(schema, part.table.name)} REPLACE PARTITION ${day} FROM ${load(part)}`,
        ),
        insertSnapshot({
          dialect,
          schema,
          row: {
            ...snapshotRow(manifest),
            extracted_at: manifest.extracted_at.replace('T', ' ').replace('Z', ''),
          },
          now: 'now64(6)',
        }),
        ...parts.map((part) => `DROP TABLE ${load(part)}`),
      ],
    };
  },
};

const tailOf = (table: Table): string =>
  `ENGINE = MergeTree\nPARTITION BY ${name(table.dateColumn)}\nORDER BY (${table.primaryKey.map((key) => name(key)).join(', ')})`;

const reader = (location: string): string => {
  if (location.startsWith('/')) return 'file';
  return location.startsWith('gs://') ? 'gcs' : 's3';
};

/** One pattern that stands for exactly these files. */
const patternOf = (files: readonly { path: string }[], location: string): string =>
  files.length === 1
    ? `${location}/${files[0]?.path}`
    : `${location}/{${files.map(({ path }) => path).join(',')}}`;

const structureOf = ({ columns }: Table): string =>
  columns
    .map(({ name: column, type, nullable }) => {
      const bare = dialect.types[type];
      return `${column} ${nullable ? `Nullable(${bare})` : bare}`;
    })
    .join(', ');
