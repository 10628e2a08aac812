import { EXTRA, type Extra, formatTimestamp, parseTimestamp, type Row } from '../../src/index.js';
import { isSentAsText, type Selection } from './catalog.js';
import type { FieldChange } from './messages.js';
import { hasRecordKey, RECORD_KEY, recordKey } from './record-key.js';

/**
 * Makes the data of RECORD messages from rows. A served value that its column cannot hold exactly is kept in `extra`;
 * when some of it is missing from the column (it is no timestamp, it has more than six digits, it is not text), that is
 * reported as a change. A time without an offset is not: nothing of it is missing from its column, which says UTC where
 * the API says nothing. The protocol knows only NULLED and TRUNCATED, which users of Airbyte read as lost data, and
 * nearly all times of some streams are served so: real losses would not be noticed among them. A JSON value of any shape is
 * sent as text, since a column of a destination has one type.
 */
export function dataMaker({ stream, schema }: Selection) {
  const timestamps = schema.fields.filter(({ type }) => type === 'timestamp').map(({ name }) => name);
  const served = schema.fields.filter(({ origin, nullable }) => origin === 'api' && nullable);
  const asText = schema.fields.filter(isSentAsText);
  const hasKey = hasRecordKey(stream);
  const hasExtra = schema.fields.some(({ name }) => name === EXTRA.name);

  /** @param unknown the `extra` of the record, also where it is not among the columns asked for */
  return (row: Row, unknown: Extra): { data: Row; changes: FieldChange[] } => {
    let data = row;
    const changes = served
      .filter(({ name }) => data[name] === null && Object.hasOwn(unknown, name))
      .map(({ name }) => changed(name, 'NULLED'));
    for (const name of timestamps) {
      const text = data[name];
      if (typeof text !== 'string' || isPlainInstant(text)) continue;
      const { held, isExact } = utc(text);
      const extra = hasExtra && !isExact ? { extra: { ...(data.extra as Extra | null), [name]: text } } : {};
      data = { ...data, [name]: held, ...extra };
      if (held === null) changes.push(changed(name, 'NULLED'));
      else if (CUT.test(text)) changes.push(changed(name, 'TRUNCATED'));
    }
    for (const { name } of asText) {
      if (data[name] !== null) data = { ...data, [name]: JSON.stringify(data[name]) };
    }
    if (hasKey) data = { ...data, [RECORD_KEY.name]: recordKey(stream, data) };
    return { data, changes };
  };
}

const changed = (field: string, change: FieldChange['change']): FieldChange => ({
  field,
  change,
  reason: 'SOURCE_SERIALIZATION_ERROR',
});

/** Whether an instant is in the one form that every consumer reads alike; it needs no conversion. */
export const isPlainInstant = (text: string): boolean => PLAIN.test(text);

const PLAIN =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;

/** A digit other than zero after the sixth one. */
const CUT = /\.\d{6}0*[1-9]/;

/** The years 1 to 9999, in microseconds: Python and most databases have no others. */
const EARLIEST = -62_135_596_800_000_000n;
const LATEST = 253_402_300_799_999_999n;

/**
 * The instant that a text names, in UTC: DuckDB, for one, drops an offset without a warning, and refuses a small `t` or
 * `z`. Digits after the sixth are cut, as in every typed format.
 */
function utc(text: string): { held: string | null; isExact: boolean } {
  const timestamp = parseTimestamp(text);
  if (!timestamp || timestamp.micros < EARLIEST || timestamp.micros > LATEST) {
    return { held: null, isExact: false };
  }
  return { held: formatTimestamp(timestamp.micros), isExact: timestamp.exact };
}
