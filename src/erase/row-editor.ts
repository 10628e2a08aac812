import { type Json, setOwn } from '../model/records.js';
import type { Row } from '../model/rows.js';
import { EXTRA } from '../model/schema.js';
import { type Stream, userColumn } from '../streams/stream.js';
import type { PersonTexts } from './person-texts.js';

/** What becomes of the rows that are about the person: removed, kept under a pseudonym, or left for a later commit. */
export type OwnRows = 'remove' | 'pseudonym' | 'leave';

interface Editing {
  texts: PersonTexts;
  /** Replaces the person in what stays. */
  replacement: string;
  ownRows: OwnRows;
}

/** What is to be done with a row: nothing (undefined), removal (null), or another row in its place. */
export type RowEditor = (row: Row) => Row | null | undefined;

/**
 * Finds one person in the rows of a stream. What names another user in a row that is about that user stays, also where the texts
 * are the same: it is somebody else's.
 */
export function rowEditor(stream: Stream, { texts, replacement, ownRows }: Editing): RowEditor {
  const column = userColumn(stream);
  const served = stream.schema.fields.filter(({ origin, name }) => origin === 'api' || name === EXTRA.name);
  const free = served.filter(({ personal }) => column === undefined || !personal);
  const inJson = (json: Json): Json => {
    if (typeof json === 'string') return texts.replace(json, replacement);
    if (typeof json !== 'object' || json === null) return json;
    if (Array.isArray(json)) {
      const items = json.map(inJson);
      return items.some((item, i) => item !== json[i]) ? items : json;
    }
    const members = Object.entries(json).map(
      ([name, value]) => [texts.replace(name, replacement), inJson(value)] as const,
    );
    if (members.every(([name, value]) => Object.hasOwn(json, name) && json[name] === value)) return json;
    const changed: { [name: string]: Json } = {};
    for (const [name, value] of members) setOwn(changed, unusedName(changed, name), value);
    return changed;
  };
  const mentioning: RowEditor = (row) => {
    let changed: Record<string, Json> | undefined;
    for (const { name } of free) {
      const value = row[name] ?? null;
      const now = inJson(value);
      if (now !== value) changed = { ...(changed ?? row), [name]: now };
    }
    return changed;
  };
  const pseudonymous = (row: Row): Row => {
    const changed: Record<string, Json> = { ...(mentioning(row) ?? row) };
    for (const { name, personal, type, nullable } of served) {
      // Nobody knows what else JSON says about the person.
      if (nullable && (personal || type === 'json')) changed[name] = null;
      else if (personal) changed[name] = replacement;
    }
    if (column !== undefined) changed[column] = replacement;
    return changed;
  };
  return (row) => {
    if (column === undefined || row[column] !== texts.id) return mentioning(row);
    if (ownRows === 'leave') return undefined;
    return ownRows === 'remove' ? null : pseudonymous(row);
  };
}

/** Two names that become the same one both stay. */
function unusedName(object: object, name: string): string {
  let unused = name;
  while (Object.hasOwn(object, unused)) unused += '_';
  return unused;
}
