import { type Extra, type Json, setOwn } from './records.js';

/** What had to be changed for any format to hold a record. */
export interface Repairs {
  /** Texts in which lone surrogates became U+FFFD. */
  surrogates: number;
}

/** Makes the function that repairs and counts lone surrogates in a value: they make a file unreadable for some readers. */
export function repairer(repairs: Repairs): (json: Json) => Json {
  const repairText = (text: string): string => {
    if (text.isWellFormed()) return text;
    repairs.surrogates += 1;
    return text.toWellFormed();
  };
  const repairObject = (extra: Extra): Extra => {
    const repaired: Extra = {};
    for (const [key, value] of Object.entries(extra)) {
      let name = repairText(key);
      while (Object.hasOwn(repaired, name)) name += '\uFFFD'; // two broken keys may become the same one
      setOwn(repaired, name, repair(value));
    }
    return repaired;
  };
  const repair = (json: Json): Json => {
    if (typeof json === 'string') return repairText(json);
    if (Array.isArray(json)) return json.map(repair);
    if (typeof json !== 'object' || json === null) return json;
    return repairObject(json);
  };
  return repair;
}
