import {
  type Column,
  type ColumnType,
  type SnapshotRow,
  type SnapshotTable,
  snapshotsTable,
  type Table,
} from './model.js';
import type { Quoting } from './sql.js';

/** How one engine spells the model. */
export interface Dialect {
  readonly quoting: Quoting;
  readonly types: Readonly<Record<ColumnType, string>>;
  /** What follows the primary key; undefined: the engine has none, or it costs too much. */
  readonly primaryKey?: '' | ' NOT ENFORCED';
  /** Where comments are written: in statements of their own, or after each column and the table. */
  readonly comments:
    | 'statements'
    | { column(text: string): string; table(text: string): string; position: 'before tail' | 'after tail' };
  /** False where a column cannot be declared as never null. */
  readonly notNull?: boolean;
  /** The type of a column that may be null, where that is another type. */
  readonly nullable?: (type: string) => string;
}

interface CreateTable {
  /** Of the tables; a dataset or a database in some. */
  schema: string;
  dialect: Dialect;
  table: Table;
  /** What follows the columns: partitions, order, storage. */
  tail?: string;
  /** `CREATE TEMPORARY TABLE` and the like; default `CREATE TABLE IF NOT EXISTS`. */
  create?: string;
  /** Default: the table's own. */
  name?: string;
}

/** `CREATE TABLE`, with its comments where they belong inside it. */
export function createTable(options: CreateTable): string {
  const { dialect, table, schema, tail = '', create = 'CREATE TABLE IF NOT EXISTS' } = options;
  const { quoting, comments, primaryKey } = dialect;
  const lines = table.columns.map((column) => `  ${columnDefinition(column, dialect)}`);
  if (primaryKey !== undefined) {
    const key = table.primaryKey.map((name) => quoting.name(name)).join(', ');
    lines.push(`  PRIMARY KEY (${key})${primaryKey}`);
  }
  const head = `${create} ${quoting.name(schema, options.name ?? table.name)} (\n${lines.join(',\n')}\n)`;
  const note = comments === 'statements' ? '' : comments.table(quoting.value(table.description));
  const isFirst = comments !== 'statements' && comments.position === 'before tail';
  return [head, ...(isFirst ? [note, tail] : [tail, note])].filter((part) => part !== '').join('\n');
}

function columnDefinition({ name, type, nullable, description }: Column, dialect: Dialect): string {
  const { quoting, types, comments, notNull = true, nullable: orNull = (type) => type } = dialect;
  const definition = [quoting.name(name), nullable ? orNull(types[type]) : types[type]];
  if (!nullable && notNull) definition.push('NOT NULL');
  if (comments !== 'statements') definition.push(comments.column(quoting.value(description)));
  return definition.join(' ');
}

/** `COMMENT ON` the table and its columns. */
export function commentStatements(table: Table, { quoting }: Dialect, schema: string): string[] {
  return [
    `COMMENT ON TABLE ${quoting.name(schema, table.name)} IS ${quoting.value(table.description)}`,
    ...table.columns.map(
      ({ name, description }) =>
        `COMMENT ON COLUMN ${quoting.name(schema, table.name, name)} IS ${quoting.value(description)}`,
    ),
  ];
}

/** The view on the newest run date that holds a stream completely, in a snapshot that is complete. */
export function createCurrentView(table: SnapshotTable, { quoting }: Dialect, schema: string): string {
  const { name, value } = quoting;
  return `CREATE OR REPLACE VIEW ${name(schema, table.currentView)} AS
SELECT ${columnNames(table, quoting)}
FROM ${name(schema, table.name)}
WHERE ${name(table.dateColumn)} = (
  SELECT max(${name('run_date')}) FROM ${name(schema, snapshotsTable.name)}
  WHERE ${name('stream')} = ${value(table.stream)} AND ${name('is_complete')} AND ${name('status')} = ${value('complete')}
)`;
}

/** The columns of a table, separated by commas. */
export const columnNames = ({ columns }: Pick<Table, 'columns'>, { name }: Quoting): string =>
  columns.map((column) => name(column.name)).join(', ');

interface InsertSnapshots {
  schema: string;
  dialect: Dialect;
  rows: readonly SnapshotRow[];
  /** The engine's own clock, as an expression. */
  now: string;
}

/** The rows of `snapshots`, by `SELECT`, since not every engine takes expressions as values; in one statement. */
export function insertSnapshots({ dialect, schema, rows, now }: InsertSnapshots): string {
  const { quoting, types } = dialect;
  const selects = rows.map((row) => {
    const values = snapshotsTable.columns.map(({ name, type }) =>
      name === 'loaded_at' ? now : `CAST(${quoting.value(row[name] ?? null)} AS ${types[type]})`,
    );
    return `SELECT ${values.join(', ')}`;
  });
  return `INSERT INTO ${quoting.name(schema, snapshotsTable.name)} (${columnNames(snapshotsTable, quoting)})
${selects.join('\nUNION ALL\n')}`;
}
