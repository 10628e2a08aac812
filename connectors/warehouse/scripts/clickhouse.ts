import { columnNames, createTable, type Dialect, pieces } from '../ddl.js';
import { type Column, listTables, snapshotsTable, snapshotTables, type Table, tables } from '../model.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { quoting } from '../sql.js';
import { createViews } from '../views.js';
import { explained, partsOf, type ScriptDialect, type TablePart, withoutZone } from './script.js';

/** JSON stays text, for the JSON functions: ClickHouse's JSON type drops nulls and the order of names. */
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
  elements: (array) => ({
    from: `ARRAY JOIN JSONExtractArrayRaw(coalesce(${array}, '')) AS element`,
    text: `CASE WHEN JSONType(element) = 'String' THEN JSONExtractString(element) END`,
  }),
  viewSettings: '\nSETTINGS join_use_nulls = 1',
};
const { name, value } = dialect.quoting;

/** The server expands at most 1,000 names in one pattern. */
const FILES_PER_INSERT = 500;

/** Instants outside of these are stored wrong, without an error. */
const YEARS = [1900, 2299] as const;

export const clickhouse: ScriptDialect = {
  name: 'clickhouse',
  locations: /^(s3:\/\/|gs:\/\/|https:\/\/|\/)[A-Za-z0-9._/=~%-]+$/,
  locationHint:
    's3://bucket/prefix, gs://bucket/prefix, an https:// address of a bucket, or a folder of the server',
  write({ manifest, manifestSha256, schema, location }) {
    const day = value(manifest.run_date);
    const parts = partsOf(manifest);
    const load = ({ stream }: { stream: string }): string => name(schema, `${stream}_load`);
    const fill = ({ table, columns, files, rows }: TablePart): string[] => [
      `CREATE OR REPLACE TABLE ${load(table)} AS ${name(schema, table.name)}`,
      ...pieces(files, FILES_PER_INSERT).map(
        (piece) => `INSERT INTO ${load(table)} (${columnNames({ columns }, dialect.quoting)})
SELECT ${columnNames({ columns }, dialect.quoting)}
FROM ${reader(location)}(${value(patternOf(piece, location))}, 'Parquet', ${value(structureOf(columns))})`,
      ),
      `SELECT throwIf(count() != ${value(rows)}, ${value(`the files of ${table.stream} do not hold the rows that the manifest counts`)}) FROM ${load(table)}`,
      ...columns
        .filter(({ type }) => type === 'timestamp')
        .map(
          ({ name: column }) =>
            `SELECT throwIf(countIf(toYear(${name(column)}) NOT BETWEEN ${YEARS[0]} AND ${YEARS[1]}) > 0, ${value(`${column} of ${table.stream} is out of the years that DateTime64 holds`)}) FROM ${load(table)}`,
        ),
    ];
    const isHeld = (table: Table): boolean => parts.some((part) => part.table === table);
    return {
      statements: [
        `CREATE DATABASE IF NOT EXISTS ${name(schema)}`,
        ...tables.map((table) => createTable({ dialect, table, schema, tail: tailOf(table) })),
        ...createViews(dialect, schema),
        ...parts.flatMap(fill),
        explained(
          'There is no transaction over several tables: the views leave the day out until its last row has arrived.',
          `ALTER TABLE ${name(schema, snapshotsTable.name)} DROP PARTITION ${day}`,
        ),
        ...listTables.map((table) => `ALTER TABLE ${name(schema, table.name)} DROP PARTITION ${day}`),
        ...snapshotTables.map((table) =>
          isHeld(table)
            ? `ALTER TABLE ${name(schema, table.name)} REPLACE PARTITION ${day} FROM ${load(table)}`
            : `ALTER TABLE ${name(schema, table.name)} DROP PARTITION ${day}`,
        ),
        ...insertOwnRows({
          manifestSha256,
          manifest: withoutZone(manifest),
          dialect,
          schema,
          now: 'now64(6)',
        }),
        ...parts.map(({ table }) => `DROP TABLE ${load(table)}`),
      ],
    };
  },
};

/** Rows are sorted by the columns of the key that are never null: sorting by others needs a setting. */
function tailOf({ columns, primaryKey, dateColumn }: Table): string {
  const sorted = primaryKey.filter((key) =>
    columns.some((column) => column.name === key && !column.nullable),
  );
  return `ENGINE = MergeTree\nPARTITION BY ${name(dateColumn)}\nORDER BY (${sorted.map((key) => name(key)).join(', ')})`;
}

const reader = (location: string): string => {
  if (location.startsWith('/')) return 'file';
  return location.startsWith('gs://') ? 'gcs' : 's3';
};

/** One pattern that matches exactly these files. */
const patternOf = (files: readonly { path: string }[], location: string): string =>
  files.length === 1
    ? `${location}/${files[0]?.path}`
    : `${location}/{${files.map(({ path }) => path).join(',')}}`;

const structureOf = (columns: readonly Column[]): string =>
  columns
    .map(({ name: column, type, nullable }) => {
      const bare = dialect.types[type];
      return `${column} ${nullable ? `Nullable(${bare})` : bare}`;
    })
    .join(', ');
