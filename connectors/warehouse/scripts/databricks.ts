import { createTable, type Dialect } from '../ddl.js';
import { type Column, listTables, snapshotsTable, snapshotTables, type Table, tables } from '../model.js';
import { insertOwnRows } from '../snapshot-rows.js';
import { quoting } from '../sql.js';
import { createViews } from '../views.js';
import { explained, partsOf, type ScriptDialect, type TablePart } from './script.js';

const dialect: Dialect = {
  quoting: quoting('`', 'doubled'),
  comments: {
    column: (text) => `COMMENT ${text}`,
    table: (text) => `COMMENT ${text}`,
    position: 'after tail',
  },
  types: {
    string: 'STRING',
    timestamp: 'TIMESTAMP',
    date: 'DATE',
    json: 'VARIANT',
    count: 'BIGINT',
    boolean: 'BOOLEAN',
  },
  elements: (array) => ({
    from: `CROSS JOIN LATERAL variant_explode(${array}) AS e`,
    text: `CASE WHEN schema_of_variant(e.value) = 'STRING' THEN CAST(e.value AS STRING) END`,
  }),
};
const { name, value } = dialect.quoting;

/** Databricks, whose Delta tables replace a day in one step. */
export const databricks: ScriptDialect = sparkScript('databricks', {
  dialect,
  tail: (table) =>
    `USING DELTA${table === snapshotsTable ? '' : `\nPARTITIONED BY (${name(table.dateColumn)})`}`,
  remove: (table, schema, day) =>
    `DELETE FROM ${name(schema, table.name)} WHERE ${name(table.dateColumn)} = ${day}`,
  replace: (part, schema, day, from) =>
    `INSERT INTO ${name(schema, part.table.name)} REPLACE WHERE ${name(part.table.dateColumn)} = ${day}
SELECT ${part.table.columns.map(cellOf(part)).join(', ')}
${from}`,
});

/** Apache Spark 4 and its own Parquet tables: columns that may be null, and a day is a folder. */
export const spark: ScriptDialect = sparkScript('spark', {
  dialect: { ...dialect, notNull: false },
  tail: (table) => `USING PARQUET\nPARTITIONED BY (${name(table.dateColumn)})`,
  remove: (table, schema, day) =>
    `ALTER TABLE ${name(schema, table.name)} DROP IF EXISTS PARTITION (${name(table.dateColumn)} = ${day})`,
  replace: (part, schema, day, from) =>
    `INSERT OVERWRITE ${name(schema, part.table.name)} PARTITION (${name(part.table.dateColumn)} = ${day})
SELECT ${part.table.columns
      .filter((column) => column.name !== part.table.dateColumn)
      .map(cellOf(part))
      .join(', ')}
${from}`,
});

interface Parts {
  dialect: Dialect;
  /** What follows the columns of a table. */
  tail(table: Table): string;
  /** Empties a day. */
  remove(table: Table, schema: string, day: string): string;
  /** Replaces a day by what a `FROM` gives. */
  replace(part: TablePart, schema: string, day: string, from: string): string;
}

function sparkScript(scriptName: string, parts: Parts): ScriptDialect {
  return {
    name: scriptName,
    locations: /^([a-z][a-z0-9]*:\/\/|\/)[A-Za-z0-9@._/=~%-]+$/,
    locationHint: 's3://bucket/prefix, abfss://container@account/prefix, gs://bucket/prefix or /Volumes/…',
    write({ manifest, manifestSha256, schema, location }) {
      const day = `DATE ${value(manifest.run_date)}`;
      const { dialect } = parts;
      const from = ({ table, files }: TablePart): string =>
        `FROM parquet.${name(`${location}/${table.stream}/run_date=${manifest.run_date}`)}
WHERE substring_index(_metadata.file_path, ${value(`/${table.stream}/`)}, -1) IN (${files
          .map(({ path }) => `\n  ${value(path.slice(table.stream.length + 1))}`)
          .join(',')}
)`;
      const filled = partsOf(manifest).filter(({ files }) => files.length > 0);
      return {
        statements: [
          `CREATE SCHEMA IF NOT EXISTS ${name(schema)}`,
          ...tables.map((table) => createTable({ dialect, table, schema, tail: parts.tail(table) })),
          ...createViews(dialect, schema),
          ...filled.map((part) =>
            explained(
              'There is no transaction over several tables: first, that every row is there to be read.',
              `SELECT assert_true(count(*) = ${value(part.rows)}, ${value(`the files of ${part.table.stream} do not hold the rows that the manifest counts`)})
${from(part)}`,
            ),
          ),
          explained(
            'The views leave the day out until its last row has arrived.',
            parts.remove(snapshotsTable, schema, day),
          ),
          ...listTables.map((table) => parts.remove(table, schema, day)),
          ...snapshotTables.map((table) => {
            const part = filled.find((candidate) => candidate.table === table);
            return part ? parts.replace(part, schema, day, from(part)) : parts.remove(table, schema, day);
          }),
          ...insertOwnRows({ manifestSha256, manifest, dialect, schema, now: 'current_timestamp()' }),
        ],
      };
    },
  };
}

/** A column as its table takes it; the files of an older version do not have all of them. */
const cellOf =
  ({ columns }: TablePart) =>
  ({ name: column, type }: Column): string => {
    if (!columns.some((held) => held.name === column)) return `CAST(NULL AS ${dialect.types[type]})`;
    return type === 'json' ? `parse_json(${name(column)})` : name(column);
  };
