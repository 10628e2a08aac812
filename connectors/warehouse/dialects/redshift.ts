import { columnNames, commentStatements, createTable, type Dialect, insertSnapshot } from '../ddl.js';
import { type Column, snapshotRow, type Table, tables } from '../model.js';
import { quoting } from '../sql.js';
import {
  currentViews,
  explained,
  type Helper,
  helperKey,
  partsOf,
  type ScriptDialect,
  type TablePart,
} from './script.js';

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
};
const { name, value } = dialect.quoting;

/** As COPY takes a Parquet file: instants without their zone, which is UTC, and JSON as text. */
const fileTypes = { ...dialect.types, timestamp: 'TIMESTAMP', json: 'VARCHAR(65535)' };

export const redshift: ScriptDialect = {
  name: 'redshift',
  locations: /^s3:\/\/[A-Za-z0-9._/=~%-]+$/,
  locationHint: 'a bucket of Amazon: s3://bucket/prefix',
  write({ manifest, schema, location }) {
    const isOfDate = (table: Table) => `${name(table.dateColumn)} = DATE ${value(manifest.run_date)}`;
    const filled = partsOf(manifest).filter(({ files }) => files.length > 0);
    return {
      statements: [
        `CREATE SCHEMA IF NOT EXISTS ${name(schema)}`,
        ...tables.flatMap((table) => [
          createTable({ dialect, table, schema }),
          ...commentStatements(table, dialect, schema),
        ]),
        ...currentViews(dialect, schema),
        ...filled.flatMap(({ table }) => [
          `CREATE TEMPORARY TABLE ${name(loadOf(table))} (${table.columns
            .map((column) => `${name(column.name)} ${fileTypes[column.type]}`)
            .join(', ')})`,
          explained(
            'The role is the default one of the cluster; name another by IAM_ROLE.',
            `COPY ${name(loadOf(table))} FROM ${value(`${location}/${helperKey(manifest, helperName(table))}`)}
IAM_ROLE DEFAULT
FORMAT AS PARQUET
MANIFEST`,
          ),
        ]),
        'BEGIN',
        ...tables.map((table) => `DELETE FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`),
        ...filled.map(
          ({ table }) => `INSERT INTO ${name(schema, table.name)} (${columnNames(table, dialect.quoting)})
SELECT ${table.columns.map(cell).join(', ')} FROM ${name(loadOf(table))}`,
        ),
        ...partsOf(manifest).map(({ table, rows }) =>
          explained(
            'Divides by zero, and so ends the script before its COMMIT, unless every row has arrived.',
            `SELECT 1 / (CASE WHEN COUNT(*) = ${value(rows)} THEN 1 ELSE 0 END) AS ${name('every_row_arrived')} FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`,
          ),
        ),
        insertSnapshot({ dialect, schema, row: snapshotRow(manifest), now: 'GETDATE()' }),
        'COMMIT',
      ],
      helpers: filled.map((part) => manifestOf(part, location)),
    };
  },
};

const loadOf = ({ stream }: { stream: string }): string => `${stream}_load`;
const helperName = ({ stream }: { stream: string }): string => `redshift-${stream}.manifest`;

/** Redshift's own manifest; a Parquet entry must tell its length. */
const manifestOf = ({ table, files }: TablePart, location: string): Helper => ({
  name: helperName(table),
  text: `${JSON.stringify(
    {
      entries: files.map(({ path, bytes }) => ({
        url: `${location}/${path}`,
        mandatory: true,
        meta: { content_length: bytes },
      })),
    },
    null,
    2,
  )}\n`,
});

function cell({ name: column, type }: Column): string {
  if (type === 'json') return `JSON_PARSE(${name(column)})`;
  if (type === 'timestamp') return `${name(column)} AT TIME ZONE 'UTC'`;
  return name(column);
}
