import type { Manifest } from '../lake/manifest.js';
import { EXTRA } from '../model/schema.js';
import type { Stream } from '../streams/stream.js';

/** Columns that cannot be compared: one side does not have them, or has other pseudonyms in them. */
export function incomparableFields(
  stream: Stream,
  [one, other]: readonly [Manifest, Manifest],
): { field: string; reason: string }[] {
  const [columns, others] = [one, other].map(({ tables }) => tables[stream.name]?.columns);
  if (!columns || !others) return [];
  const schemes = [one, other].map(({ pseudonyms }) => JSON.stringify(pseudonyms));
  const pseudonymous = new Set([one, other].flatMap(({ pseudonyms }) => pseudonyms?.columns ?? []));
  const named = stream.fields.filter(({ name, personal }) => personal && pseudonymous.has(name));
  const replaced =
    schemes[0] === schemes[1] || named.length === 0 ? [] : [...named.map(({ name }) => name), EXTRA.name];
  return stream.schema.fields.flatMap(({ name }) => {
    // Where neither side knows a field, both have it in `extra`.
    if (columns.includes(name) !== others.includes(name)) return [{ field: name, reason: 'column_not_read' }];
    return replaced.includes(name) ? [{ field: name, reason: 'pseudonyms_differ' }] : [];
  });
}
