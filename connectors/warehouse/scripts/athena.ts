import { columnNames, type Dialect, pieces } from '../ddl.js';
import {
  type Column,
  listTables,
  type SnapshotTable,
  snapshotsTable,
  snapshotTables,
  type Table,
  tables,
} from '../model.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { quoting } from '../sql.js';
import { createViews } from '../views.js';
import { explained, partsOf, type ScriptDialect, withoutZone } from './script.js';

/** Queries are Trino's; CREATE TABLE is Hive's, with other quotes and other names of types. */
const dialect: Dialect = {
  quoting: quoting('"', 'plain'),
  comments: 'statements',
  types: {
    string: 'VARCHAR',
    timestamp: 'TIMESTAMP(6)',
    date: 'DATE',
    json: 'VARCHAR',
    count: 'BIGINT',
    boolean: 'BOOLEAN',
  },
  elements: (array) => ({
    from: `CROSS JOIN UNNEST(CAST(JSON_PARSE(${array}) AS ARRAY(JSON))) AS e(element)`,
    text: `CASE WHEN JSON_FORMAT(e.element) LIKE '"%' THEN JSON_EXTRACT_SCALAR(e.element, '$') END`,
  }),
};
const hive = quoting('`', 'refused');
const hiveTypes = {
  ...dialect.types,
  string: 'string',
  timestamp: 'timestamp',
  date: 'date',
  json: 'string',
};
const { name, value } = dialect.quoting;

/** A query may have 262,144 bytes. */
const FILES_PER_INSERT = 1000;

export const athena: ScriptDialect = {
  name: 'athena',
  locations: /^s3:\/\/[A-Za-z0-9._/=~%-]+$/,
  locationHint: 'a bucket of Amazon: s3://bucket/prefix',
  write({ manifest, manifestSha256, schema, location }) {
    const day = `DATE ${value(manifest.run_date)}`;
    const remove = (table: Table): string =>
      `DELETE FROM ${name(schema, table.name)} WHERE ${name(table.dateColumn)} = ${day}`;
    return {
      statements: [
        `CREATE DATABASE IF NOT EXISTS ${hive.name(schema)}`,
        ...tables.map((table) => icebergTable(table, schema, location)),
        ...snapshotTables.map((table) => filesTable(table, schema, location)),
        ...createViews(dialect, schema),
        explained(
          'There is no transaction over several tables: the views leave the day out until its last row has arrived.',
          remove(snapshotsTable),
        ),
        ...[...listTables, ...snapshotTables].map(remove),
        ...partsOf(manifest).flatMap(({ table, columns, files }) =>
          pieces(files, FILES_PER_INSERT).map(
            (piece) => `-- Timestamps arrive in milliseconds: a Hive table of Athena holds no more.
INSERT INTO ${name(schema, table.name)} (${columnNames({ columns }, dialect.quoting)})
SELECT ${columnNames({ columns }, dialect.quoting)}
FROM ${name(schema, filesOf(table))}
WHERE ${name('run_date')} = ${day} AND ${name('$path')} IN (${piece
              .map(({ path }) => `\n  ${value(`${location}/${path}`)}`)
              .join(',')}
)`,
          ),
        ),
        ...partsOf(manifest).map(({ table, rows }) =>
          explained(
            'Divides by zero, and so ends the script before the day is seen, unless every row has arrived.',
            `SELECT 1 / (CASE WHEN COUNT(*) = ${value(rows)} THEN 1 ELSE 0 END) AS ${name('every_row_arrived')} FROM ${name(schema, table.name)} WHERE ${name(table.dateColumn)} = ${day}`,
          ),
        ),
        ...insertOwnRows({
          manifestSha256,
          manifest: withoutZone(manifest),
          dialect,
          schema,
          now: `CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP(6))`,
        }),
      ],
    };
  },
};

const filesOf = ({ stream }: { stream: string }): string => `${stream}_files`;

const hiveColumns = (columns: readonly Column[]): string =>
  columns
    .map(
      ({ name: column, type, description }) =>
        `  ${hive.name(column)} ${hiveTypes[type]} COMMENT ${value(description)}`,
    )
    .join(',\n');

/** The tables of the model, which can be changed a day at a time. */
const icebergTable = (table: Table, schema: string, location: string): string =>
  `CREATE TABLE IF NOT EXISTS ${hive.name(schema, table.name)} (
${hiveColumns(table.columns)}
)${table === snapshotsTable ? '' : `\nPARTITIONED BY (${hive.name(table.dateColumn)})`}
LOCATION ${value(`${location}/_athena/${table.name}/`)}
TBLPROPERTIES ('table_type' = 'ICEBERG')`;

/** The files where they are, by run date; the folders below a date belong to it. */
const filesTable = (table: SnapshotTable, schema: string, location: string): string =>
  `CREATE EXTERNAL TABLE IF NOT EXISTS ${hive.name(schema, filesOf(table))} (
${hiveColumns(table.columns)}
)
PARTITIONED BY (${hive.name('run_date')} date)
STORED AS PARQUET
LOCATION ${value(`${location}/${table.stream}/`)}
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.run_date.type' = 'date',
  'projection.run_date.format' = 'yyyy-MM-dd',
  'projection.run_date.range' = '2020-01-01,2099-12-31',
  'storage.location.template' = ${value(`${location}/${table.stream}/run_date=\${run_date}/`)}
)`;
