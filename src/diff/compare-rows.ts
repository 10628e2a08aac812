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

/**
 * Makes the comparison of the columns that the API serves, and of `extra`; the key is the same, and the rest the connector's.
 * @param without columns that cannot be compared. A version that does not know a field keeps it in `extra`: it is left out there, too.
 */
export function rowComparer({ schema, key }: Stream, without: ReadonlySet<string>) {
  const compared = schema.fields.filter(
    ({ name, origin }) =>
      (origin === 'api' || name === EXTRA.name) && !key.includes(name) && !without.has(name),
  );
  const valueIn = (row: Row, { name }: Field): Value => {
    const value = row[name] ?? null;
    return name === EXTRA.name && without.size > 0 ? withoutMembers(value, without) : value;
  };
  return (before: Row, after: Row): Difference[] => {
    const differences: Difference[] = [];
    for (const field of compared) {
      const [one, other] = [valueIn(before, field), valueIn(after, field)];
      if (one !== other && !isSame(one, other, field)) differences.push({ field, before: one, after: other });
    }
    return differences;
  };
}

/** Whether two values mean the same: instants and JSON may be written in several ways, and formats choose different ones. */
function isSame(one: Value, other: Value, { type }: Field): boolean {
  if (one === null || other === null) return false;
  if (type === 'json') return isDeepStrictEqual(plainZero(one), plainZero(other));
  return type === 'timestamp' && instantOf(one as string) === instantOf(other as string);
}

/** The instant that a text names; without an offset it is in UTC. Digits after the sixth count. A text that names none is itself. */
function instantOf(text: string): string {
  const { micros, exact } = parseTimestamp(text) ?? {};
  if (micros === undefined) return text;
  const [, digits = ''] = exact ? [] : (/\.\d{6}(\d*?)0*(?:z|[+-]\d\d:\d\d)?$/i.exec(text) ?? []);
  return `${micros} ${digits}`;
}

/** JSON has one zero for whoever reads it as a number. */
function plainZero(value: Value): Value {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(plainZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainZero(inner)]));
}

/** `extra` without some of its members; null when nothing is left. */
function withoutMembers(extra: Value, without: ReadonlySet<string>): Value {
  const left = Object.entries(extra ?? {}).filter(([name]) => !without.has(name));
  return left.length > 0 ? Object.fromEntries(left) : null;
}

/** Whether a change is more or less privilege, as far as both values are known. */
export function effectOf({ field: { ranks }, before, after }: Difference): 'rose' | 'fell' | null {
  const rankOf = (value: Value): number => ranks?.findIndex((rank) => rank.includes(value as string)) ?? -1;
  const [from, to] = [rankOf(before), rankOf(after)];
  if (from < 0 || to < 0 || from === to) return null;
  return to > from ? 'rose' : 'fell';
}
