import { isDeepStrictEqual } from 'node:util';
import type { Row, Value } from '../model/rows.js';
import { EXTRA, type Field } from '../model/schema.js';
import { parseTimestamp } from '../model/timestamp.js';
import type { Stream } from '../streams/stream.js';

/** One column of a record that has another value. */
export interface Difference {
  field: Field;
  before: Value;
  after: Value;
}

/** Makes the comparison of the columns that the API serves, and of `extra`; the key is the same, and the rest the connector's. */
export function rowComparer({ schema, key }: Stream, without: ReadonlySet<string>) {
  const compared = schema.fields.filter(
    ({ name, origin }) =>
      (origin === 'api' || name === EXTRA.name) && !key.includes(name) && !without.has(name),
  );
  return (before: Row, after: Row): Difference[] => {
    const differences: Difference[] = [];
    for (const field of compared) {
      const [one = null, other = null] = [before[field.name], after[field.name]];
      if (one !== other && !isSame(one, other, field)) differences.push({ field, before: one, after: other });
    }
    return differences;
  };
}

/** Whether two values mean the same: instants and JSON may be written in several ways, and formats choose different ones. */
function isSame(one: Value, other: Value, { type }: Field): boolean {
  if (one === null || other === null) return false;
  if (type === 'json') return isDeepStrictEqual(plainZero(one), plainZero(other));
  if (type !== 'timestamp') return false;
  const [before, after] = [parseTimestamp(one as string), parseTimestamp(other as string)];
  return Boolean(before?.exact && after?.exact && before.micros === after.micros);
}

/** JSON has one zero for whoever reads it as a number. */
function plainZero(value: Value): Value {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(plainZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainZero(inner)]));
}

/** Whether a change is more or less privilege, as far as both values are known. */
export function effectOf({ field: { ranks }, before, after }: Difference): 'rose' | 'fell' | null {
  const rankOf = (value: Value): number => ranks?.findIndex((rank) => rank.includes(value as string)) ?? -1;
  const [from, to] = [rankOf(before), rankOf(after)];
  if (from < 0 || to < 0 || from === to) return null;
  return to > from ? 'rose' : 'fell';
}
