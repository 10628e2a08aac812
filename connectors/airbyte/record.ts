import { type Extra, formatTimestamp, parseTimestamp, type Repairs, rowMaker } from '../../src/index.js';
import { isSentAsText, type Selection } from './catalog.js';
import type { FieldChange, Message } from './messages.js';
import { hasRecordKey, RECORD_KEY, recordKey } from './record-key.js';

/**
 * Makes RECORD messages of a stream's records. A served value that its column cannot hold exactly is kept in `extra`;
 * when some of it is missing from the column (it is no timestamp, it has more than six digits, it is not text), that is
 * reported as a change. A time without an offset is not: nothing of it is missing from its column, which says UTC where
 * the API says nothing. The protocol knows only NULLED and TRUNCATED, which users of Airbyte read as lost data, and
 * nearly all times of some streams are served so: real losses would not be noticed among them. A JSON value of any shape is
 * sent as text, since a column of a destination has one type.
 */
export function recordMaker(
  { stream, schema }: Selection,
  added: Readonly<Record<string, string>>,
  repairs: Repairs,
): (record: object, emittedAt: number) => Message {
  const toRow = rowMaker(schema, added, repairs);
  const timestamps = schema.fields.filter(({ type }) => type === 'timestamp').map(({ name }) => name);
  const served = schema.fields.filter(({ origin, nullable }) => origin === 'api' && nullable);
  const asText = schema.fields.filter(isSentAsText);
  const hasKey = hasRecordKey(stream);
  const hasExtra = schema.fields.some(({ name }) => name === 'extra');

  return (record, emittedAt) => {
    let data = toRow(record);
    // Also where `extra` is not among the columns asked for.
    const { extra: unknown = {} } = record as { extra?: Extra };
    const changes = served
      .filter(({ name }) => data[name] === null && Object.hasOwn(unknown, name))
      .map(({ name }) => changed(name, 'NULLED'));
    for (const name of timestamps) {
      const text = data[name];
      if (typeof text !== 'string' || PLAIN.test(text)) continue;
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
    const meta = changes.length > 0 ? { meta: { changes } } : {};
    return { type: 'RECORD', record: { stream: schema.name, data, emitted_at: emittedAt, ...meta } };
  };
}

const changed = (field: string, change: FieldChange['change']): FieldChange => ({
  field,
  change,
  reason: 'SOURCE_SERIALIZATION_ERROR',
});

/** The one form of an instant that every consumer reads alike; it needs no conversion. */
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
