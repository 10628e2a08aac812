import { hasNullableKey } from '../../src/index.js';
import type { Column, ColumnType, Table } from './model.js';
import type { Quoting, SqlValue } from './sql.js';

/** How one engine spells the model. */
export interface Dialect {
  readonly quoting: Quoting;
  readonly types: Readonly<Record<ColumnType, string>>;
  /**
   * What follows the primary key; undefined: the engine has none, or it costs too much. A table whose key may hold nulls has
   * none: there it would forbid them.
   */
  readonly primaryKey?: '' | ' NOT ENFORCED';
  /** Where comments are written: in statements of their own, or after each column and the table. */
  readonly comments:
    | 'statements'
    | { column(text: string): string; table(text: string): string; position: 'before tail' | 'after tail' };
  /** False where a column cannot be declared as never null. */
  readonly notNull?: boolean;
  /** The type of a column that may be null, where that is another type. */
  readonly nullable?: (type: string) => string;
  /** Makes a row of each element of a JSON array. @param array a column of the table that `from` follows */
  readonly elements: (array: string) => JsonElements;
  /** Where the engine would otherwise compute a part of a view for all days before it is asked for one: `AS …`. */
  readonly inlined?: string;
  /** What follows the query of a view: settings that it needs. */
  readonly viewSettings?: string;
  /** What the views on histories need; without it, there are none. */
  readonly history?: HistoryFunctions;
}

/** Expressions on JSON and on texts; arguments are expressions, too, except for names of members. */
export interface HistoryFunctions {
  /** The same value for every JSON text that means the same: spaces, the order of members and the form of a number do not count. */
  meaning(json: string): string;
  /**
   * The same of an object, null where nothing is left in it.
   * @param texts members that are left out where they are texts
   * @param all members that are left out
   */
  meaningWithout(object: string, members: { texts: readonly string[]; all: readonly string[] }): string;
  /** The text of a member; null where it is no text. */
  memberText(object: string, name: string): string;
  /** The digits of a second after the sixth, without zeros at their end. */
  lateDigits(timestamp: string): string;
  /** A JSON array of those texts that are not null. */
  array(texts: readonly string[]): string;
}

/** The elements of a JSON array as rows. */
export interface JsonElements {
  /** What follows the table in `FROM`. */
  from: string;
  /** An element, where it is a text; otherwise null. */
  text: string;
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
  if (primaryKey !== undefined && !hasNullableKey(table.columns, table.primaryKey)) {
    const key = table.primaryKey.map((name) => quoting.name(name)).join(', ');
    lines.push(`  PRIMARY KEY (${key})${primaryKey}`);
  }
  const head = `${create} ${quoting.name(schema, options.name ?? table.name)} (\n${lines.join(',\n')}\n)`;
  const note = comments === 'statements' ? '' : comments.table(quoting.value(table.description));
  const isFirst = comments !== 'statements' && comments.position === 'before tail';
  return [head, ...(isFirst ? [note, tail] : [tail, note])].filter((part) => part !== '').join('\n');
}

function columnDefinition(column: Column, dialect: Dialect): string {
  const { name, nullable, description } = column;
  const { quoting, comments, notNull = true } = dialect;
  const definition = [quoting.name(name), typeOf(column, dialect)];
  if (!nullable && notNull) definition.push('NOT NULL');
  if (comments !== 'statements') definition.push(comments.column(quoting.value(description)));
  return definition.join(' ');
}

/** The type of a column, by whether it may be null. */
export function typeOf({ type, nullable }: Pick<Column, 'type' | 'nullable'>, dialect: Dialect): string {
  const { types, nullable: orNull = (type) => type } = dialect;
  return nullable ? orNull(types[type]) : types[type];
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

/** The columns of a table, separated by commas. */
export const columnNames = ({ columns }: Pick<Table, 'columns'>, { name }: Quoting): string =>
  columns.map((column) => name(column.name)).join(', ');

/** Rows of one statement: some engines bound its length, others how many parts a UNION has. */
const ROWS_PER_INSERT = 500;

/** A row that is written as SQL; `loaded_at` is the engine's own clock. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

interface InsertRows {
  table: Table;
  rows: readonly SqlRow[];
  schema: string;
  dialect: Dialect;
  /** The engine's own clock, as an expression. */
  now: string;
}

/** Rows by `SELECT`, since not every engine takes expressions as values. */
export function insertRows({ dialect, schema, table, rows, now }: InsertRows): string[] {
  const { quoting } = dialect;
  const selectOf = (row: SqlRow): string => {
    const values = table.columns.map((column) =>
      column.name === 'loaded_at'
        ? now
        : `CAST(${quoting.value(row[column.name] ?? null)} AS ${typeOf(column, dialect)})`,
    );
    return `SELECT ${values.join(', ')}`;
  };
  return pieces(rows, ROWS_PER_INSERT).map(
    (piece) => `INSERT INTO ${quoting.name(schema, table.name)} (${columnNames(table, quoting)})
${piece.map(selectOf).join('\nUNION ALL\n')}`,
  );
}

/** A list in pieces of at most `size`. */
export function pieces<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, index) => list.slice(index * size, (index + 1) * size));
}
