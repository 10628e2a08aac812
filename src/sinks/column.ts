import type { FieldType } from '../model/schema.js';
import { bitmap, type CopiedData, validityBitmap } from './bitmap.js';
import { type ColumnData, isSet } from './column-data.js';
import type { TypedValues } from './typed-values.js';

/** One column of a batch that is being filled. Its arrays are used again for the next batch. */
export interface Column {
  /** Appends the rows from `from` up to, and without, `to`. */
  append(values: TypedValues, from: number, to: number): void;
  /** Appends rows of a column of the same type, unchanged. */
  copy(data: CopiedData, from: number, to: number): void;
  /** Bytes of its values so far. */
  bytes(): number;
  /** Bytes that these rows would add at most. */
  bytesOf(values: TypedValues, from: number, to: number): number;
  /** Bytes that these rows of another column would add. */
  bytesOfCopy(data: CopiedData, from: number, to: number): number;
  /** What was appended; valid until `clear`. */
  finish(): ColumnData;
  clear(): void;
}

/** What makes an empty column for each type of field. */
export const newColumn: Record<FieldType, () => Column> = {
  string: textColumn,
  timestamp: () => fixedColumn(BigInt64Array),
  date: () => fixedColumn(Int32Array),
  boolean: booleanColumn,
  json: textColumn,
};

const FIRST_ROWS = 1024;
/** Arrays that one large row has made larger than this are not kept. */
const KEPT_BYTES = 4 * 1024 * 1024;
const NO_OFFSETS = new Int32Array(0);

/** All texts of a column one after the other, and where each ends. */
function textColumn(): Column {
  const validity = validityBitmap();
  let text = Buffer.allocUnsafe(FIRST_ROWS * 16);
  let ends = new Int32Array(FIRST_ROWS + 1);
  let length = 0;
  let used = 0;
  const reserve = (rows: number, bytes: number): void => {
    if (used + bytes > text.length)
      text = enlarged(text, Buffer.allocUnsafe(Math.max(text.length * 2, used + bytes)));
    if (length + rows >= ends.length)
      ends = enlarged(ends, new Int32Array(Math.max(ends.length * 2, length + rows + 1)));
  };
  return {
    append({ values, texts = values, isRaw }, from, to) {
      const rows = to - from === texts.length ? texts : texts.slice(from, to);
      const joined = rows.join(''); // all at once: a call for each costs as much as its bytes
      const isSmall = joined.length < FIRST_ROWS * 1024; // then room for the longest UTF-8 is no matter
      reserve(to - from, isRaw ? joined.length : isSmall ? joined.length * 3 : Buffer.byteLength(joined));
      const written = text.write(joined, used, isRaw ? 'latin1' : 'utf8');
      const isAscii = written === joined.length; // or raw: a byte a character
      for (const value of rows as readonly (string | null)[]) {
        if (value !== null) used += isAscii ? value.length : utf8Length(text, used, value.length);
        length += 1;
        ends[length] = used;
      }
      validity.append(rows, 0, rows.length);
    },
    /** A null has no bytes in `values`: neither we nor Apache's reader write any for it. */
    copy(data, from, to) {
      const { valueOffsets } = data;
      const [start, end] = [valueOffsets[from] as number, valueOffsets[to] as number];
      reserve(to - from, end - start);
      text.set((data.values as Uint8Array).subarray(start, end), used);
      for (let row = from; row < to; row += 1) {
        length += 1;
        ends[length] = used + (valueOffsets[row + 1] as number) - start;
      }
      used += end - start;
      validity.copy(data, from, to);
    },
    bytes: () => used + length * 4,
    bytesOf({ values, texts = values }, from, to) {
      let characters = 0;
      for (let row = from; row < to; row += 1) characters += (texts[row] as string | null)?.length ?? 0;
      return characters * 3 + (to - from) * 4; // no UTF-16 unit takes more in UTF-8
    },
    bytesOfCopy: ({ valueOffsets }, from, to) =>
      (valueOffsets[to] as number) - (valueOffsets[from] as number) + (to - from) * 4,
    finish: () => ({
      ...validity.finish(),
      valueOffsets: ends.subarray(0, length + 1),
      values: text.subarray(0, used),
    }),
    clear() {
      if (text.length > KEPT_BYTES) text = Buffer.allocUnsafe(FIRST_ROWS * 16);
      length = 0;
      used = 0;
      validity.clear();
    },
  };
}

/** How many bytes from `at` on encode so many UTF-16 units: four bytes are two of them, and all others one. */
function utf8Length(bytes: Uint8Array, at: number, units: number): number {
  let end = at;
  for (let left = units; left > 0; ) {
    const byte = bytes[end] as number;
    end += byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    left -= byte < 0xf0 ? 1 : 2;
  }
  return end - at;
}

/** Values that take the same number of bytes each. */
function fixedColumn(FixedArray: BigInt64ArrayConstructor | Int32ArrayConstructor): Column {
  const validity = validityBitmap();
  let values = new FixedArray(FIRST_ROWS);
  let length = 0;
  const set = (others: TypedValues['numbers'] | ColumnData['values'] = new FixedArray(0)): void => {
    if (length + others.length > values.length)
      values = enlarged(values, new FixedArray(Math.max(values.length * 2, length + others.length)));
    values.set(others as never, length);
    length += others.length;
  };
  const { BYTES_PER_ELEMENT } = FixedArray;
  return {
    append({ values: nullable, numbers }, from, to) {
      set(numbers?.subarray(from, to));
      validity.append(nullable, from, to);
    },
    copy(data, from, to) {
      set(data.values.subarray(from, to));
      validity.copy(data, from, to);
    },
    bytes: () => length * BYTES_PER_ELEMENT,
    bytesOf: (_, from, to) => (to - from) * BYTES_PER_ELEMENT,
    bytesOfCopy: (_, from, to) => (to - from) * BYTES_PER_ELEMENT,
    finish: () => ({ ...validity.finish(), valueOffsets: NO_OFFSETS, values: values.subarray(0, length) }),
    clear() {
      length = 0;
      validity.clear();
    },
  };
}

/** One bit for each value. */
function booleanColumn(): Column {
  const validity = validityBitmap();
  const bits = bitmap();
  return {
    append({ values }, from, to) {
      for (let row = from; row < to; row += 1) bits.append(values[row] === true);
      validity.append(values, from, to);
    },
    copy(data, from, to) {
      const { values, offset = 0 } = data;
      for (let row = from; row < to; row += 1) bits.append(isSet(values as Uint8Array, offset + row));
      validity.copy(data, from, to);
    },
    bytes: () => bits.length() / 8,
    bytesOf: (_, from, to) => (to - from) / 8,
    bytesOfCopy: (_, from, to) => (to - from) / 8,
    finish: () => ({ ...validity.finish(), valueOffsets: NO_OFFSETS, values: bits.finish() }),
    clear() {
      bits.clear();
      validity.clear();
    },
  };
}

/** Copies an array into the larger one that replaces it. */
function enlarged<A extends { set(values: never): void }>(array: A, larger: A): A {
  larger.set(array as never);
  return larger;
}
