import { type Extra, type Json, setOwn } from './records.js';
import { EXTRA, type StreamSchema } from './schema.js';

/**
 * A value of a row, by the type of its column: text (timestamps and dates too, as served), a boolean, or any JSON value in a
 * column of that type. Null is null in every column.
 */
export type Value = Json;

/** A record cut to the field list of its stream; every column is present. */
export type Row = Readonly<Record<string, Value>>;

/** What had to be changed for any format to hold a record. */
export interface Repairs {
  /** Texts in which lone surrogates became U+FFFD. */
  surrogates: number;
}

const isEmpty = (extra: Value | undefined): boolean =>
  typeof extra === 'object' && extra !== null && Object.keys(extra).length === 0;

/**
 * Makes rows of a stream's records: adds the columns that the connector knows (the keys of the parents, the date of the
 * snapshot), turns an empty `extra` into null, and repairs lone surrogates, which make a file unreadable for some readers.
 */
export function rowMaker(schema: StreamSchema, added: Readonly<Record<string, string>>, repairs: Repairs) {
  const repair = (text: string): string => {
    if (text.isWellFormed()) return text;
    repairs.surrogates += 1;
    return text.toWellFormed();
  };
  const repairJson = (json: Json): Json => {
    if (typeof json === 'string') return repair(json);
    if (Array.isArray(json)) return json.map(repairJson);
    if (typeof json !== 'object' || json === null) return json;
    return repairObject(json);
  };
  const repairObject = (extra: Extra): Extra => {
    const repaired: Extra = {};
    for (const [key, value] of Object.entries(extra)) {
      let name = repair(key);
      while (Object.hasOwn(repaired, name)) name += '\uFFFD'; // two broken keys may become the same one
      setOwn(repaired, name, repairJson(value));
    }
    return repaired;
  };
  return (record: object): Row => {
    const served = record as Readonly<Record<string, Value | undefined>>;
    const row: Record<string, Value> = {};
    for (const { name } of schema.fields) row[name] = repairJson(added[name] ?? served[name] ?? null);
    if (isEmpty(row[EXTRA.name])) row[EXTRA.name] = null;
    return row;
  };
}
