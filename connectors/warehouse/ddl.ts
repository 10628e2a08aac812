import { type Column, type ColumnType, type SnapshotTable, snapshotsTable, type Table } from './model.js';
import type { Quoting, SqlValue } from './sql.js';

/** How one engine spells the model. */
export interface Dialect {
  readonly quoting: Quoting;
  readonly types: Readonly<Record<ColumnType, string>>;
  /** Whether a key is written into the table, and what follows it; undefined: there are none, or they cost too much. */
  readonly primaryKey?: '' | ' NOT ENFORCED';
  /** Where comments stand: in statements of their own, or behind each column and the table. */
  readonly comments:
    | 'statements'
    | { column(text: string): string; table(text: string): string; position: 'before tail' | 'after tail' };
  /** False where nothing says that a column is never null. */
  readonly notNull?: boolean;
  /** What a column that may be null is called, where it is a type of its own. */
  readonly nullable?: (type: string) => string;
}

interface CreateTable {
  /** Or dataset, or database: what the tables live in; undefined where none is named. */
  schema: string | undefined;
  dialect: Dialect;
  table: Table;
  /** What follows the columns: partitions, order, storage. */
  tail?: string;
  /** `CREATE TEMPORARY TABLE` and the like; default `CREATE TABLE IF NOT EXISTS`. */
  create?: string;
  /** Default: the table's own. */
  name?: string;
}

/** `CREATE TABLE`, with its comments where they stand inside it. */
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

/** The view on the newest complete and full run date. */
export function createCurrentView(table: SnapshotTable, { quoting }: Dialect, schema: string): string {
  const { name } = quoting;
  return `CREATE OR REPLACE VIEW ${name(schema, table.currentView)} AS
SELECT ${columnNames(table, quoting)}
FROM ${name(schema, table.name)}
WHERE ${name(table.dateColumn)} = (
  SELECT max(${name('run_date')}) FROM ${name(schema, snapshotsTable.name)}
  WHERE ${name('status')} = ${quoting.value('complete')} AND ${name('is_full')}
)`;
}

/** The columns of a table, parted by commas. */
export const columnNames = ({ columns }: Table, { name }: Quoting): string =>
  columns.map((column) => name(column.name)).join(', ');

interface InsertSnapshot {
  schema: string;
  dialect: Dialect;
  row: Readonly<Record<string, SqlValue>>;
  /** The engine's own clock, as an expression. */
  now: string;
}

/** The row of `snapshots`, by `SELECT`, since not every engine takes expressions as values. */
export function insertSnapshot({ dialect, schema, row, now }: InsertSnapshot): string {
  const { quoting, types } = dialect;
  const values = snapshotsTable.columns.map(({ name, type }) =>
    name === 'loaded_at' ? now : `CAST(${quoting.value(row[name] ?? null)} AS ${types[type]})`,
  );
  return `INSERT INTO ${quoting.name(schema, snapshotsTable.name)} (${columnNames(snapshotsTable, quoting)})
SELECT ${values.join(', ')}`;
}
