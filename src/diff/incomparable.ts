import type { PublishedSnapshot } from '../lake/file-rows.js';
import { pseudonymsRead } from '../lake/pseudonyms-read.js';
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
  const schemes = sides.map(pseudonymsRead);
  const [columns, others] = sides.map(({ manifest }) => manifest.tables[stream.name]?.columns);
  if (!columns || !others) return [];
  return stream.schema.fields.flatMap((field) => {
    const { name } = field;
    // Where neither side knows a field, both have it in `extra`.
    if (columns.includes(name) !== others.includes(name)) return [{ field: name, reason: 'column_not_read' }];
    const [one, other] = schemes.map((scheme) => kindOfTexts(stream, field, scheme));
    return one === other ? [] : [{ field: name, reason: 'pseudonyms_differ' }];
  });
}

/** What stands in the column: the same of two sides where their values can be compared. */
function kindOfTexts({ schema }: Stream, field: Field, scheme: PseudonymScheme | null): string {
  const { name, personal } = field;
  if (!scheme) return '';
  const isReplaced =
    name === EXTRA.name ? isPersonal(schema, scheme.columns) : personal && scheme.columns.includes(name);
  if (!isReplaced) return '';
  return personal === 'email' ? `${scheme.key_id} ${scheme.keep_domain}` : scheme.key_id;
}
