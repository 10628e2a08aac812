import type { Json } from './records.js';
import { type Repairs, repairer } from './repair.js';
import { EXTRA, type StreamSchema } from './schema.js';

export type { Repairs };

/**
 * A value of a row, by the type of its column: text (timestamps and dates too, as served), a boolean, or any JSON value in a
 * column of that type. Null is null in every column.
 */
export type Value = Json;

/** A record cut to the field list of its stream; every column is present. */
export type Row = Readonly<Record<string, Value>>;

/** Whether an `extra` holds nothing. */
export const isEmpty = (extra: Value | undefined): boolean =>
  typeof extra === 'object' && extra !== null && Object.keys(extra).length === 0;

/**
 * Makes rows of a stream's records: adds the columns that the connector knows (the keys of the parents, the date of the
 * snapshot), turns an empty `extra` into null, and repairs lone surrogates, which make a file unreadable for some readers.
 */
export function rowMaker(schema: StreamSchema, added: Readonly<Record<string, string>>, repairs: Repairs) {
  const repair = repairer(repairs);
  return (record: object): Row => {
    const served = record as Readonly<Record<string, Value | undefined>>;
    const row: Record<string, Value> = {};
    for (const { name } of schema.fields) row[name] = repair(added[name] ?? served[name] ?? null);
    if (isEmpty(row[EXTRA.name])) row[EXTRA.name] = null;
    return row;
  };
}
