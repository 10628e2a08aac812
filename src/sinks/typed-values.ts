import { SinkError } from '../errors.js';
import type { ColumnBatch } from '../model/batch.js';
import type { Extra } from '../model/records.js';
import type { Value } from '../model/rows.js';
import { EXTRA, type Field } from '../model/schema.js';
import { parseDate, parseTimestamp, plainMicros } from '../model/timestamp.js';
import { jsonText } from './json-text.js';

/** The values of one column of a batch, by its type. */
export interface TypedValues {
  /** A value for each row; null where the column holds none. */
  readonly values: readonly Value[];
  /** Whether its texts are raw, see `raw-text`. */
  readonly isRaw: boolean;
  /** Of a JSON column: its values as text. */
  readonly texts?: readonly (string | null)[];
  /** Of a column of instants (microseconds) or days: the number for each row; any where the value is null. */
  readonly numbers?: BigInt64Array | Int32Array;
}

/** Texts of one row that its column of instants does not hold exactly, by the name of the column. */
type Inexact = Map<number, Extra>;

/**
 * The columns of a batch for formats with true types.
 *
 * A timestamp that its column cannot hold exactly is cut to the microsecond before it, and is null when it is no timestamp; its text
 * as served is then kept in the `extra` of the row, under the name of the column.
 */
export function typedValues({ schema: { fields }, columns, isRaw }: ColumnBatch): TypedValues[] {
  const inexact: Inexact = new Map();
  const typed = fields.map((field, i): TypedValues => {
    const values = columns[i] as readonly Value[];
    if (field.type === 'timestamp') return instants(field, values, inexact);
    if (field.type === 'date') return days(field, values);
    return field.type === 'json' ? { values, isRaw, texts: values.map(textOrNull) } : { values, isRaw };
  });
  return inexact.size === 0 ? typed : withExtras(typed, inexact, fields);
}

const textOrNull = (value: Value): string | null => (value === null ? null : jsonText(value));

const TWO_TO_32 = 2 ** 32;

function instants({ name }: Field, served: readonly Value[], inexact: Inexact): TypedValues {
  let values = served;
  const numbers = new BigInt64Array(served.length);
  const halves = new Int32Array(numbers.buffer); // plain ones are written as two halves: no BigInt is made
  for (const [row, text] of served.entries()) {
    if (text === null) continue;
    const micros = plainMicros(text as string);
    if (!Number.isNaN(micros)) {
      const high = Math.floor(micros / TWO_TO_32);
      halves[2 * row] = micros - high * TWO_TO_32;
      halves[2 * row + 1] = high;
      continue;
    }
    const timestamp = parseTimestamp(text as string);
    if (timestamp) numbers[row] = timestamp.micros;
    else {
      if (values === served) values = [...served];
      (values as Value[])[row] = null;
    }
    if (!timestamp?.exact) inexact.set(row, { ...inexact.get(row), [name]: text });
  }
  return { values, numbers, isRaw: false };
}

function days(field: Field, values: readonly Value[]): TypedValues {
  const numbers = new Int32Array(values.length);
  let [last, day]: [Value, number] = [null, 0];
  for (const [row, text] of values.entries()) {
    if (text === null) continue;
    if (text !== last) [last, day] = [text, daysOf(text as string, field)]; // nearly always the same one
    numbers[row] = day;
  }
  return { values, numbers, isRaw: false };
}

/** The days since 1970. @throws SinkError `value_not_a_date` */
function daysOf(text: string, { name }: Field): number {
  const days = parseDate(text);
  if (days !== null) return days;
  throw new SinkError(`A row cannot be written: its \`${name}\` is no date of the form YYYY-MM-DD.`, {
    code: 'value_not_a_date',
  });
}

/** Adds what columns of instants do not hold to the `extra` of its rows. */
function withExtras(typed: TypedValues[], inexact: Inexact, fields: readonly Field[]): TypedValues[] {
  const index = fields.findIndex(({ name }) => name === EXTRA.name);
  const values = [...(typed[index]?.values ?? [])];
  const texts = [...(typed[index]?.texts ?? [])];
  for (const [row, served] of inexact) {
    const text = extraWith(served, index < 0 ? undefined : (values[row] as Extra | null));
    texts[row] = text;
    values[row] = text;
  }
  return typed.with(index, { values, texts, isRaw: typed[index]?.isRaw ?? false });
}

/**
 * The JSON text of a row's `extra` with texts that its typed columns do not hold.
 * @param extra undefined: the row has no such column
 * @throws SinkError `timestamp_without_place`
 */
function extraWith(inexact: Extra, extra: Extra | null | undefined): string {
  if (extra === undefined || Object.keys(inexact).some((name) => extra && Object.hasOwn(extra, name))) {
    throw new SinkError(
      'A row cannot be written: neither its timestamp column nor `extra` can hold its timestamp.',
      { code: 'timestamp_without_place' },
    );
  }
  return jsonText({ ...extra, ...inexact });
}
