import type { Extra } from '../model/records.js';
import type { Row } from '../model/rows.js';
import { EXTRA, type StreamSchema } from '../model/schema.js';

/** `extra` when nothing is left in it. */
const orNull = (extra: Extra): Extra | null => (Object.keys(extra).length > 0 ? extra : null);

/**
 * Undoes what a typed format does with an instant that its column does not hold exactly: the text as served is taken from
 * `extra` again. A text under the name of such a column can come from nowhere else.
 */
export function servedTexts({ fields }: StreamSchema): (row: Record<string, Row[string]>) => Row {
  const instants = fields.filter(({ type }) => type === 'timestamp').map(({ name }) => name);
  return (row) => {
    const extra = row[EXTRA.name] as Extra | null | undefined;
    if (!extra) return row;
    for (const name of instants) {
      if (!Object.hasOwn(extra, name) || typeof extra[name] !== 'string') continue;
      row[name] = extra[name];
      delete extra[name];
    }
    row[EXTRA.name] = orNull(extra);
    return row;
  };
}
