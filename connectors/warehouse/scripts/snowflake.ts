import { columnNames, createTable, type Dialect, pieces } from '../ddl.js';
import { type Table, tables } from '../model.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { quoting } from '../sql.js';
import { createViews } from '../views.js';
import { explained, partsOf, type ScriptDialect, type TablePart } from './script.js';

const dialect: Dialect = {
  quoting: quoting('"', 'doubled'),
  primaryKey: ' NOT ENFORCED',
  comments: {
    column: (text) => `COMMENT ${text}`,
    table: (text) => `COMMENT = ${text}`,
    position: 'after tail',
  },
  types: {
    string: 'VARCHAR',
    timestamp: 'TIMESTAMP_TZ(6)',
    date: 'DATE',
    json: 'VARIANT',
    count: 'NUMBER(38, 0)',
    boolean: 'BOOLEAN',
  },
  elements: (array) => ({
    from: `CROSS JOIN LATERAL FLATTEN(INPUT => ${array}) e`,
    text: `CASE WHEN TYPEOF(e.VALUE) = 'VARCHAR' THEN CAST(e.VALUE AS VARCHAR) END`,
  }),
};
const { name, value } = dialect.quoting;

/** The most files that one COPY takes by name. */
const FILES_PER_COPY = 1000;

export const snowflake: ScriptDialect = {
  name: 'snowflake',
  locations: /^@[A-Za-z0-9_.~%/=-]+$/,
  locationHint: 'a stage and the path in it: --location @stage/prefix',
  write({ manifest, manifestSha256, schema, location }) {
    const isOfDate = (table: Table) =>
      `${name(table.dateColumn)} = CAST(${value(manifest.run_date)} AS DATE)`;
    const copy = ({ table, columns, files }: TablePart): string[] =>
      pieces(files, FILES_PER_COPY).map(
        (piece) => `-- NULL_IF is empty, since by default the text \\N would become NULL.
COPY INTO ${name(schema, table.name)} (${columnNames({ columns }, dialect.quoting)})
FROM (SELECT ${columns.map(({ name: column, type }) => cell(column, type)).join(', ')} FROM ${value(`${location}/`)})
FILES = (${piece.map(({ path }) => `\n  ${value(path)}`).join(',')}
)
FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE NULL_IF = ())
ON_ERROR = ABORT_STATEMENT
FORCE = TRUE`,
      );
    const parts = partsOf(manifest);
    return {
      statements: [
        `CREATE SCHEMA IF NOT EXISTS ${name(schema)}`,
        ...tables.map((table) => createTable({ dialect, table, schema })),
        ...createViews(dialect, schema),
        `ALTER SESSION SET TIMEZONE = 'UTC'`,
        'BEGIN TRANSACTION',
        ...tables.map((table) => `DELETE FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`),
        ...parts.flatMap(copy),
        ...parts.map(({ table, rows }) =>
          explained(
            'Divides by zero, and so ends the script before its COMMIT, unless every row has arrived.',
            `SELECT 1 / IFF(COUNT(*) = ${value(rows)}, 1, 0) AS ${name('every_row_arrived')} FROM ${name(schema, table.name)} WHERE ${isOfDate(table)}`,
          ),
        ),
        ...insertOwnRows({ manifestSha256, manifest, dialect, schema, now: 'CURRENT_TIMESTAMP()' }),
        'COMMIT',
      ],
    };
  },
};

function cell(column: string, type: string): string {
  const field = `$1:${name(column)}`;
  if (type === 'json') return `PARSE_JSON(${field}::VARCHAR)`;
  return `${field}::${dialect.types[type as keyof Dialect['types']]}`;
}
