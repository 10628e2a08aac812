import { columnNames, createTable, type Dialect } from '../ddl.js';
import { type Column, snapshotsTable, type Table, tables } from '../model.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { quoting } from '../sql.js';
import { createViews } from '../views.js';
import { explained, type Helper, helperKey, partsOf, type ScriptDialect, type TablePart } from './script.js';

const dialect: Dialect = {
  quoting: quoting('`', 'doubled'),
  primaryKey: ' NOT ENFORCED',
  comments: {
    column: (text) => `OPTIONS (description = ${text})`,
    table: (text) => `OPTIONS (description = ${text})`,
    position: 'after tail',
  },
  types: {
    string: 'STRING',
    timestamp: 'TIMESTAMP',
    date: 'DATE',
    json: 'JSON',
    count: 'INT64',
    boolean: 'BOOL',
  },
  elements: (array) => ({
    from: `CROSS JOIN UNNEST(JSON_QUERY_ARRAY(${array})) AS e`,
    text: `CASE WHEN JSON_TYPE(e) = 'string' THEN JSON_VALUE(e, '$') END`,
  }),
};
const { name, value } = dialect.quoting;

/** As the files have it: JSON is text there, and LOAD DATA does not parse it. */
const fileTypes = { ...dialect.types, json: 'STRING' };

export const bigquery: ScriptDialect = {
  name: 'bigquery',
  locations: /^gs:\/\/[A-Za-z0-9._/=~%-]+$/,
  locationHint: 'a bucket of Google: gs://bucket/prefix',
  write({ manifest, manifestSha256, schema, location }) {
    const uris = ({ files }: TablePart): string[] => files.map(({ path }) => `${location}/${path}`);
    const isOfDate = (table: Table) => `${name(table.dateColumn)} = DATE ${value(manifest.run_date)}`;
    const parts = partsOf(manifest);
    const filled = parts.filter(({ files }) => files.length > 0);
    return {
      statements: [
        `CREATE SCHEMA IF NOT EXISTS ${name(schema)}`,
        ...tables.map((table) => createTable({ dialect, table, schema, tail: tailOf(table) })),
        ...createViews(dialect, schema),
        ...filled.map((part) =>
          explained(
            'Not possible inside a transaction, so into a table of this session.',
            `LOAD DATA OVERWRITE TEMP TABLE ${name(loadOf(part.table))} (${part.columns
              .map((column) => `${name(column.name)} ${fileTypes[column.type]}`)
              .join(', ')})
FROM FILES (format = 'PARQUET', uris = [${uris(part)
              .map((uri) => `\n  ${value(uri)}`)
              .join(',')}
])`,
          ),
        ),
        ...filled.map(
          ({ table, rows }) =>
            `ASSERT (SELECT COUNT(*) FROM ${name(loadOf(table))}) = ${value(rows)} AS ${value(`the files of ${table.stream} do not hold the rows that the manifest counts`)}`,
        ),
        'BEGIN TRANSACTION',
        ...tables.map((table) => `DELETE FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`),
        ...filled.map(
          ({
            table,
            columns,
          }) => `INSERT INTO ${name(schema, table.name)} (${columnNames({ columns }, dialect.quoting)})
SELECT ${columns.map(cell).join(', ')} FROM ${name(loadOf(table))}`,
        ),
        ...insertOwnRows({ manifestSha256, manifest, dialect, schema, now: 'CURRENT_TIMESTAMP()' }),
        'COMMIT TRANSACTION',
      ],
      helpers: filled.map(
        (part): Helper => ({
          key: helperKey(manifest, `bigquery-${part.table.stream}`, 'uris'),
          text: `${uris(part).join('\n')}\n`,
        }),
      ),
    };
  },
};

const loadOf = ({ stream }: { stream: string }): string => `${stream}_load`;

const tailOf = (table: Table): string =>
  table === snapshotsTable
    ? ''
    : `PARTITION BY ${name(table.dateColumn)}\nCLUSTER BY ${name(table.primaryKey[1])}`;

/** `round`: the numbers are doubles already, and `exact` refuses some of them for how they are written. */
const cell = ({ name: column, type }: Column): string =>
  type === 'json' ? `PARSE_JSON(${name(column)}, wide_number_mode => 'round')` : name(column);
