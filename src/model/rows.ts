import { type Extra, type Json, setOwn } from './records.js';
import type { StreamSchema } from './schema.js';

/** A value of a row: text (timestamps and dates too, as served), or the object that `extra` holds. */
export type Value = string | null | Extra;

/** A record cut to the field list of its stream; every column is present. */
export type Row = Readonly<Record<string, Value>>;

/** What had to be changed for any format to hold a record. */
export interface Repairs {
  /** Texts in which lone surrogates became U+FFFD. */
  surrogates: number;
}

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
    return repairExtra(json);
  };
  const repairExtra = (extra: Extra): Extra => {
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
    for (const { name, type } of schema.fields) {
      const value = added[name] ?? served[name] ?? null;
      if (typeof value === 'string') row[name] = repair(value);
      else if (value === null || type !== 'json' || Object.keys(value).length === 0) row[name] = null;
      else row[name] = repairExtra(value);
    }
    return row;
  };
}
