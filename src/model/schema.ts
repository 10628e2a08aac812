/**
 * One field list per stream. The JSON Schema, the Arrow and Parquet schemas, the CSV header and the DDL are
 * all made from it, so nothing about a column is written down twice.
 */

/** `timestamp`: an instant, microseconds, UTC. `date`: a day. `json`: a JSON value, as JSON text where a format has no such type. */
export type FieldType = 'string' | 'timestamp' | 'date' | 'boolean' | 'json';

/** How a text names a person. */
export type PersonalKind = 'email' | 'name';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** What a `json` value is, where the API promises it; without it, any. */
  readonly shape?: 'array' | 'object';
  /** Whether it may be null; a missing value is null. */
  readonly nullable: boolean;
  /** A sentence for schema outputs and column comments. */
  readonly description: string;
  /** Where the value comes from: a field the API serves, or one that the connector adds. */
  readonly origin: 'api' | 'connector';
  /** Known values by rank: those of each are more privilege than those before. */
  readonly ranks?: readonly (readonly string[])[] | undefined;
  /** Whether null means that the API did not say, and never that there is none. */
  readonly isNullUnknown?: true;
  /** Whether it names a person, and how: such a column can hold pseudonyms instead. */
  readonly personal?: PersonalKind;
  /** Whether it holds the id of a user: in a key it says whom the row is about, elsewhere it only refers to somebody. */
  readonly isUserId?: true;
}

/** The columns of one stream, in the order of the files. */
export interface StreamSchema {
  /** The stream's name, which is the table's too. */
  readonly name: string;
  readonly description: string;
  /** Columns are only ever appended: readers of older files see null in the new ones. */
  readonly fields: readonly Field[];
  /** The fields that together name a row of one snapshot. */
  readonly primaryKey: readonly string[];
}

/** Makes the columns of a table that the connector derives, by the names of its rows; text, unless another type is named. */
export function derivedColumns<Row>() {
  const column = (name: keyof Row & string, description: string, type: FieldType = 'string'): Field => ({
    name,
    type,
    nullable: true,
    description,
    origin: 'connector',
  });
  const required = (...args: Parameters<typeof column>): Field => ({ ...column(...args), nullable: false });
  return { column, required };
}

/** Whether a column of a key may be null: no primary key of SQL allows that, and no merge finds such a row again. */
export const hasNullableKey = (
  columns: readonly Pick<Field, 'name' | 'nullable'>[],
  key: readonly string[],
): boolean => columns.some(({ name, nullable }) => nullable && key.includes(name));

/** The column that every table has: the day of the snapshot. */
export const SNAPSHOT_DATE: Field = {
  name: 'snapshot_date',
  type: 'date',
  nullable: false,
  description: 'The run date of the snapshot this row belongs to (UTC).',
  origin: 'connector',
};

/** The column that every table has: what has no column of its own. */
export const EXTRA: Field = {
  name: 'extra',
  type: 'json',
  shape: 'object',
  nullable: true,
  description: 'Every field the API served that has no column of its own; null when there is none.',
  origin: 'connector',
};
