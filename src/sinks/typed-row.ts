import { SinkError } from '../errors.js';
import type { Extra } from '../model/records.js';
import type { Row } from '../model/rows.js';
import { EXTRA, type Field, type StreamSchema } from '../model/schema.js';
import { parseDate, parseTimestamp } from '../model/timestamp.js';
import { cellOf } from './cell.js';
import { jsonText } from './json-text.js';

/** By the type of its column: text for `string`, JSON text for `json`, microseconds for `timestamp`, days for `date`. */
export type TypedValue = string | bigint | number | boolean | null;

/**
 * Makes the reader of rows for formats with true types. It fills and returns the same array for every row, in the
 * order of the columns.
 *
 * A timestamp that its column cannot hold exactly is cut to the microsecond before it (or the millisecond, where the
 * format does not hold that microsecond), and is null when it is no timestamp; its text as served is then kept in the
 * `extra` of the row, under the name of the column.
 */
export function typedRowReader({ fields }: StreamSchema, holds: (micros: bigint) => boolean = () => true) {
  const values: TypedValue[] = fields.map(() => null);
  const extraIndex = fields.findIndex(({ name }) => name === EXTRA.name);

  return (row: Row): readonly TypedValue[] => {
    let inexact: Extra | undefined;
    for (const [i, field] of fields.entries()) {
      const value = cellOf(row, field);
      if (value === null) values[i] = null;
      else if (field.type === 'json') values[i] = jsonText(value);
      else if (field.type === 'date') values[i] = daysOf(value as string, field);
      else if (field.type === 'timestamp') {
        const timestamp = parseTimestamp(value as string);
        const held = timestamp !== null && holds(timestamp.micros);
        values[i] = timestamp && (held ? timestamp.micros : floorToMillis(timestamp.micros));
        if (!held || !timestamp.exact) inexact = { ...inexact, [field.name]: value };
      } else values[i] = value as string | boolean;
    }
    const extra = fields[extraIndex];
    if (inexact) values[extraIndex] = extraWith(inexact, extra && (cellOf(row, extra) as Extra | null));
    return values;
  };
}

/**
 * The JSON text of a row's `extra` with texts that its typed columns do not hold.
 * @param extra undefined: the row has no such column
 * @throws SinkError `timestamp_without_place`
 */
export function extraWith(inexact: Extra, extra: Extra | null | undefined): string {
  if (extra === undefined || Object.keys(inexact).some((name) => extra && Object.hasOwn(extra, name))) {
    throw new SinkError(
      'A row cannot be written: neither its timestamp column nor `extra` can hold its timestamp.',
      {
        code: 'timestamp_without_place',
      },
    );
  }
  return jsonText({ ...extra, ...inexact });
}

/** The days since 1970. @throws SinkError `value_not_a_date` */
export function daysOf(text: string, { name }: Field): number {
  const days = parseDate(text);
  if (days !== null) return days;
  throw new SinkError(`A row cannot be written: its \`${name}\` is no date of the form YYYY-MM-DD.`, {
    code: 'value_not_a_date',
  });
}

function floorToMillis(micros: bigint): bigint {
  return micros - (((micros % 1000n) + 1000n) % 1000n);
}
