import type { PublishedSnapshot } from '../lake/file-rows.js';
import { type Pseudonymous, pseudonymsRead } from '../lake/pseudonyms-read.js';
import { isPersonal, type PseudonymScheme } from '../model/pseudonyms.js';
import { EXTRA, type Field } from '../model/schema.js';
import type { Stream } from '../streams/stream.js';

/**
 * Columns that cannot be compared: one side does not have them, or has other pseudonyms in them.
 * @throws ConfigError `pseudonyms_differ`
 */
export function incomparableFields(
  stream: Stream,
  sides: readonly [PublishedSnapshot, PublishedSnapshot],
): { field: string; reason: string }[] {
  const [one, other] = sides.map((side) => columnKinds(stream, side));
  if (!one || !other) return [];
  return stream.schema.fields.flatMap(({ name }) => {
    if (one[name] === other[name]) return []; // where neither side knows a field, both have it in `extra`
    const isHeld = one[name] !== undefined && other[name] !== undefined;
    return [{ field: name, reason: isHeld ? 'pseudonyms_differ' : 'column_not_read' }];
  });
}

/**
 * The columns of a table: of each what stands in it, which is the same in two snapshots whose values can be compared. Empty: what the
 * API served. Undefined where the snapshot does not have the table.
 * @throws ConfigError `pseudonyms_differ`
 */
export function columnKinds(stream: Stream, snapshot: Pseudonymous): Record<string, string> | undefined {
  const scheme = pseudonymsRead(snapshot);
  const held = snapshot.manifest.tables[stream.name]?.columns;
  if (!held) return undefined;
  const fields = stream.schema.fields.filter(({ name }) => held.includes(name));
  return Object.fromEntries(fields.map((field) => [field.name, kindOfTexts(stream, field, scheme)]));
}

/** What stands in one column. */
function kindOfTexts({ schema }: Stream, field: Field, scheme: PseudonymScheme | null): string {
  const { name, personal } = field;
  if (!scheme) return '';
  const isReplaced =
    name === EXTRA.name ? isPersonal(schema, scheme.columns) : personal && scheme.columns.includes(name);
  if (!isReplaced) return '';
  return personal === 'email' ? `${scheme.key_id} ${scheme.keep_domain}` : scheme.key_id;
}
