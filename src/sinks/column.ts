import { Bool, type Data, type DataType, DateDay, makeData, TimestampMicrosecond, Utf8 } from 'apache-arrow';
import type { FieldType } from '../model/schema.js';
import type { TypedValue } from './typed-row.js';

/** The Arrow type of each type of field. */
export const ARROW_TYPES = {
  string: new Utf8(),
  timestamp: new TimestampMicrosecond('UTC'),
  date: new DateDay(),
  boolean: new Bool(),
  json: new Utf8(),
} as const satisfies Record<FieldType, DataType>;

/** One column of a batch that is being filled. */
export interface Column {
  append(value: TypedValue): void;
  /** Appends rows of a column of the same type, unchanged: those from `from` up to, and without, `to`. */
  copy(data: Data, from: number, to: number): void;
  /** Bytes of its values so far. */
  bytes(): number;
  /** Bytes that these rows of another column would add. */
  bytesOf(data: Data, from: number, to: number): number;
  finish(): Data;
}

/** What makes an empty column for each type of field. */
export const newColumn: Record<FieldType, () => Column> = {
  string: () => textColumn(ARROW_TYPES.string),
  timestamp: () => fixedColumn(ARROW_TYPES.timestamp, BigInt64Array),
  date: () => fixedColumn(ARROW_TYPES.date, Int32Array),
  boolean: booleanColumn,
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
  const reserve = (rows: number, bytes: number): void => {
    if (used + bytes > text.length)
      text = enlarged(text, Buffer.alloc(Math.max(text.length * 2, used + bytes)));
    if (length + rows >= ends.length)
      ends = enlarged(ends, new Int32Array(Math.max(ends.length * 2, length + rows + 1)));
  };
  return {
    append(value) {
      const bytes = typeof value === 'string' ? value.length * 3 : 0; // no UTF-16 unit takes more in UTF-8
      reserve(1, bytes);
      if (typeof value === 'string') used += text.write(value, used);
      length += 1;
      ends[length] = used;
      validity.append(value !== null);
    },
    /** A null has no bytes in `values`: neither we nor Apache's reader write any for it. */
    copy(data: Data<Utf8>, from, to) {
      const { values, valueOffsets } = data;
      const [start, end] = [valueOffsets[from] as number, valueOffsets[to] as number];
      reserve(to - from, end - start);
      text.set(values.subarray(start, end), used);
      for (let row = from; row < to; row += 1) {
        length += 1;
        ends[length] = used + (valueOffsets[row + 1] as number) - start;
      }
      used += end - start;
      validity.copy(data, from, to);
    },
    bytes: () => used + length * 4,
    bytesOf: ({ valueOffsets }: Data<Utf8>, from, to) =>
      (valueOffsets[to] as number) - (valueOffsets[from] as number) + (to - from) * 4,
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
  const reserve = (rows: number): void => {
    if (length + rows > values.length)
      values = enlarged(values, new FixedArray(Math.max(values.length * 2, length + rows)));
  };
  return {
    append(value) {
      reserve(1);
      if (value !== null) values[length] = value as never; // bigint or number, as the column's type has it
      validity.append(value !== null);
      length += 1;
    },
    copy(data, from, to) {
      reserve(to - from);
      values.set(data.values.subarray(from, to), length);
      length += to - from;
      validity.copy(data, from, to);
    },
    bytes: () => length * values.BYTES_PER_ELEMENT,
    bytesOf: (_, from, to) => (to - from) * values.BYTES_PER_ELEMENT,
    finish: () =>
      makeData<DataType>({ type, length, ...validity.finish(), data: values.subarray(0, length) } as never),
  };
}

/** One bit for each value. */
function booleanColumn(): Column {
  const validity = validityBitmap();
  const values = bitmap();
  return {
    append(value) {
      values.append(value === true);
      validity.append(value !== null);
    },
    copy(data: Data<Bool>, from, to) {
      for (let row = from; row < to; row += 1) values.append(isSet(data.values, data.offset + row));
      validity.copy(data, from, to);
    },
    bytes: () => values.length() / 8,
    bytesOf: (_, from, to) => (to - from) / 8,
    finish: () =>
      makeData({
        type: ARROW_TYPES.boolean,
        length: values.length(),
        ...validity.finish(),
        data: values.finish(),
      }),
  };
}

/** One bit a row: set where there is a value. */
function validityBitmap() {
  const bits = bitmap();
  let nullCount = 0;
  const append = (valid: boolean): void => {
    if (!valid) nullCount += 1;
    bits.append(valid);
  };
  return {
    append,
    copy(data: Data, from: number, to: number): void {
      const hasNulls = data.nullCount > 0;
      for (let row = from; row < to; row += 1) append(!hasNulls || data.getValid(row));
    },
    finish: () => ({ nullBitmap: bits.finish(), nullCount }),
  };
}

/** Bits, the lowest of a byte first. */
function bitmap() {
  let bits = new Uint8Array(FIRST_CAPACITY / 8);
  let length = 0;
  return {
    length: () => length,
    append(bit: boolean): void {
      if (length === bits.length * 8) bits = enlarged(bits, new Uint8Array(bits.length * 2));
      if (bit) bits[length >> 3] = (bits[length >> 3] as number) | (1 << (length & 7));
      length += 1;
    },
    finish: () => bits.subarray(0, Math.ceil(length / 8)),
  };
}

/** Whether a bit of a bitmap is set. */
export const isSet = (bits: Uint8Array, at: number): boolean =>
  (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;

/** Copies an array into the larger one that replaces it. */
function enlarged<A extends { set(values: never): void }>(array: A, larger: A): A {
  larger.set(array as never);
  return larger;
}
