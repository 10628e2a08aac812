import { type Data, type DataType, DateDay, makeData, TimestampMicrosecond, Utf8 } from 'apache-arrow';
import type { FieldType } from '../schema.js';
import type { TypedValue } from './typed-row.js';

/** The Arrow type of each type of field. */
export const ARROW_TYPES = {
  string: new Utf8(),
  timestamp: new TimestampMicrosecond('UTC'),
  date: new DateDay(),
  json: new Utf8(),
} as const satisfies Record<FieldType, DataType>;

/** One column of a batch that is being filled. */
export interface Column {
  append(value: TypedValue): void;
  /** Appends one row of a column of the same type, as it stands there. */
  copy(data: Data, row: number): void;
  /** What its values take so far. */
  bytes(): number;
  finish(): Data;
}

/** What makes an empty column for each type of field. */
export const newColumn: Record<FieldType, () => Column> = {
  string: () => textColumn(ARROW_TYPES.string),
  timestamp: () => fixedColumn(ARROW_TYPES.timestamp, BigInt64Array),
  date: () => fixedColumn(ARROW_TYPES.date, Int32Array),
  json: () => textColumn(ARROW_TYPES.json),
};

/** A page of rows. */
const FIRST_CAPACITY = 1024;

/** All texts of a column one after the other, and where each ends. */
function textColumn(type: Utf8): Column {
  const validity = validityBitmap();
  let text = Buffer.alloc(FIRST_CAPACITY * 16);
  let ends = new Int32Array(FIRST_CAPACITY + 1);
  let length = 0;
  let used = 0;
  const reserve = (bytes: number): void => {
    const needed = used + bytes;
    if (needed > text.length) text = enlarged(text, Buffer.alloc(Math.max(text.length * 2, needed)));
  };
  const end = (valid: boolean): void => {
    if (length + 1 === ends.length) ends = enlarged(ends, new Int32Array(ends.length * 2));
    validity.append(valid);
    length += 1;
    ends[length] = used;
  };
  return {
    append(value) {
      if (typeof value === 'string') {
        reserve(value.length * 3); // no UTF-16 unit takes more in UTF-8
        used += text.write(value, used);
      }
      end(value !== null);
    },
    copy(data: Data<Utf8>, row) {
      const valid = data.getValid(row);
      if (valid) {
        const value = data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]);
        reserve(value.length);
        text.set(value, used);
        used += value.length;
      }
      end(valid);
    },
    bytes: () => used + length * 4,
    finish: () =>
      makeData({
        type,
        length,
        ...validity.finish(),
        valueOffsets: ends.subarray(0, length + 1),
        data: text.subarray(0, used),
      }),
  };
}

/** Values that take the same number of bytes each. */
function fixedColumn(
  type: TimestampMicrosecond | DateDay,
  FixedArray: BigInt64ArrayConstructor | Int32ArrayConstructor,
): Column {
  const validity = validityBitmap();
  let values = new FixedArray(FIRST_CAPACITY);
  let length = 0;
  const append = (value: TypedValue): void => {
    if (length === values.length) values = enlarged(values, new FixedArray(values.length * 2));
    if (value !== null) values[length] = value as never; // bigint or number, as the column's type has it
    validity.append(value !== null);
    length += 1;
  };
  return {
    append,
    copy: (data, row) => append(data.getValid(row) ? data.values[row] : null),
    bytes: () => length * values.BYTES_PER_ELEMENT,
    finish: () =>
      makeData<DataType>({ type, length, ...validity.finish(), data: values.subarray(0, length) } as never),
  };
}

/** One bit a row: set where there is a value. */
function validityBitmap() {
  let bits = new Uint8Array(FIRST_CAPACITY / 8);
  let length = 0;
  let nullCount = 0;
  return {
    append(valid: boolean): void {
      if (length === bits.length * 8) bits = enlarged(bits, new Uint8Array(bits.length * 2));
      if (valid) bits[length >> 3] = (bits[length >> 3] as number) | (1 << (length & 7));
      else nullCount += 1;
      length += 1;
    },
    finish: () => ({ nullBitmap: bits.subarray(0, Math.ceil(length / 8)), nullCount }),
  };
}

/** Copies what is there into the larger array that takes its place. */
function enlarged<A extends { set(values: never): void }>(array: A, larger: A): A {
  larger.set(array as never);
  return larger;
}
