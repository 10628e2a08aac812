import type { Manifest } from '../../../src/index.js';
import { columnNames, commentStatements, createTable, type Dialect } from '../ddl.js';
import { type Column, type Table, tables } from '../model.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { quoting } from '../sql.js';
import { createViews } from '../views.js';
import { explained, helperKey, partsOf, type ScriptDialect, type TablePart } from './script.js';

const dialect: Dialect = {
  quoting: quoting('"', 'refused'),
  primaryKey: '', // informational there
  comments: 'statements',
  types: {
    string: 'VARCHAR(65535)',
    timestamp: 'TIMESTAMPTZ',
    date: 'DATE',
    json: 'SUPER',
    count: 'BIGINT',
    boolean: 'BOOLEAN',
  },
  elements: (array) => ({
    from: `, ${array} AS e`,
    text: `CASE WHEN JSON_TYPEOF(e) = 'string' THEN CAST(e AS VARCHAR(65535)) END`,
  }),
};
const { name, value } = dialect.quoting;

/** As COPY takes a Parquet file: instants without their zone, which is UTC, and JSON as text. */
const fileTypes = { ...dialect.types, timestamp: 'TIMESTAMP', json: 'VARCHAR(65535)' };

export const redshift: ScriptDialect = {
  name: 'redshift',
  locations: /^s3:\/\/[A-Za-z0-9._/=~%-]+$/,
  locationHint: 'a bucket of Amazon: s3://bucket/prefix',
  write({ manifest, manifestSha256, schema, location }) {
    const isOfDate = (table: Table) => `${name(table.dateColumn)} = DATE ${value(manifest.run_date)}`;
    const filled = partsOf(manifest).filter(({ files }) => files.length > 0);
    return {
      statements: [
        `CREATE SCHEMA IF NOT EXISTS ${name(schema)}`,
        ...tables.flatMap((table) => [
          createTable({ dialect, table, schema }),
          ...commentStatements(table, dialect, schema),
        ]),
        ...createViews(dialect, schema),
        ...filled.flatMap(({ table, columns }) => [
          `CREATE TEMPORARY TABLE ${name(loadOf(table))} (${columns
            .map((column) => `${name(column.name)} ${fileTypes[column.type]}`)
            .join(', ')})`,
          explained(
            'The role is the default one of the cluster; name another by IAM_ROLE.',
            `COPY ${name(loadOf(table))} FROM ${value(`${location}/${keyOf(table, manifest)}`)}
IAM_ROLE DEFAULT
FORMAT AS PARQUET
MANIFEST`,
          ),
        ]),
        'BEGIN',
        ...tables.map((table) => `DELETE FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`),
        ...filled.map(
          ({
            table,
            columns,
          }) => `INSERT INTO ${name(schema, table.name)} (${columnNames({ columns }, dialect.quoting)})
SELECT ${columns.map(cell).join(', ')} FROM ${name(loadOf(table))}`,
        ),
        ...partsOf(manifest).map(({ table, rows }) =>
          explained(
            'Divides by zero, and so ends the script before its COMMIT, unless every row has arrived.',
            `SELECT 1 / (CASE WHEN COUNT(*) = ${value(rows)} THEN 1 ELSE 0 END) AS ${name('every_row_arrived')} FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`,
          ),
        ),
        ...insertOwnRows({ manifestSha256, manifest, dialect, schema, now: 'GETDATE()' }),
        'COMMIT',
      ],
      helpers: filled.map((part) => ({
        key: keyOf(part.table, manifest),
        text: manifestText(part, location),
      })),
    };
  },
};

const loadOf = ({ stream }: { stream: string }): string => `${stream}_load`;
const keyOf = ({ stream }: { stream: string }, manifest: Manifest): string =>
  helperKey(manifest, `redshift-${stream}`, 'manifest');

/** Redshift's own manifest; a Parquet entry must say its length. */
const manifestText = ({ files }: TablePart, location: string): string =>
  `${JSON.stringify(
    {
      entries: files.map(({ path, bytes }) => ({
        url: `${location}/${path}`,
        mandatory: true,
        meta: { content_length: bytes },
      })),
    },
    null,
    2,
  )}\n`;

function cell({ name: column, type }: Column): string {
  if (type === 'json') return `JSON_PARSE(${name(column)})`;
  if (type === 'timestamp') return `${name(column)} AT TIME ZONE 'UTC'`;
  return name(column);
}
