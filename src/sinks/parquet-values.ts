import type { FieldType } from '../model/schema.js';
import { type ColumnData, isSet } from './column-data.js';
import type { TextBounds } from './parquet-bounds.js';
import type { TextDictionary } from './parquet-dictionary.js';
import { varint } from './thrift.js';

/** Bytes that are written one after the other into an array that is used for page after page. */
export interface PageBytes {
  bytes: Buffer;
  used: number;
}

/** An array that one large page has made larger than this is not kept. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** Begins a page: empties the array, and makes room for so many bytes. */
export function begin(page: PageBytes, bytes: number): void {
  const isTooLarge = page.bytes.length > KEPT_BYTES && bytes <= KEPT_BYTES;
  if (page.bytes.length < bytes || isTooLarge) page.bytes = Buffer.allocUnsafe(bytes);
  page.used = 0;
}

const push = (page: PageBytes, bytes: readonly number[]): void => {
  for (const byte of bytes) {
    page.bytes[page.used] = byte;
    page.used += 1;
  }
};

/** Bytes that the definition levels of so many rows take at most. */
export const levelBytes = (rows: number): number => 16 + rows / 8;

/** Which rows have a value, as a page of a nullable column begins: a run of ones, or the validity bits as they are. */
export function writeLevels(page: PageBytes, { length, nullCount, nullBitmap }: ColumnData): void {
  const start = page.used;
  page.used += 4;
  if (nullCount === 0 || nullCount === length) push(page, [...varint(length * 2), nullCount === 0 ? 1 : 0]);
  else {
    const groups = Math.ceil(length / 8);
    push(page, varint(groups * 2 + 1));
    page.bytes.set(nullBitmap.subarray(0, groups), page.used);
    page.used += groups;
  }
  page.bytes.writeUInt32LE(page.used - start - 4, start);
}

/** Writes each text after its length. */
export function writeTexts(page: PageBytes, data: ColumnData, bounds: TextBounds): void {
  const { length, nullCount, nullBitmap, valueOffsets } = data;
  const values = data.values as Uint8Array;
  const { bytes } = page;
  let at = page.used;
  for (let row = 0; row < length; row += 1) {
    if (nullCount > 0 && !isSet(nullBitmap, row)) continue;
    const from = valueOffsets[row] as number;
    const to = valueOffsets[row + 1] as number;
    const size = to - from;
    bytes[at] = size;
    bytes[at + 1] = size >> 8;
    bytes[at + 2] = size >> 16;
    bytes[at + 3] = size >> 24;
    at += 4;
    if (size > 64) bytes.set(values.subarray(from, to), at);
    else for (let i = 0; i < size; i += 1) bytes[at + i] = values[from + i] as number; // cheaper than a call
    at += size;
    bounds.add(values, from, to);
  }
  page.used = at;
}

/**
 * The numbers of texts in a dictionary, to which new ones are added.
 * @returns undefined when it has no room for them, or when hardly any text repeats
 */
export function indexesOf(
  { length, nullCount, nullBitmap, valueOffsets, values }: ColumnData,
  dictionary: TextDictionary,
  bounds: TextBounds,
): Int32Array | undefined {
  const indexes = new Int32Array(length - nullCount);
  if (nullCount === 0 && isConstant(valueOffsets, values as Uint8Array)) {
    const known = dictionary.size;
    const index = dictionary.indexOf(values as Uint8Array, 0, valueOffsets[1] as number);
    if (index === known) bounds.add(values as Uint8Array, 0, valueOffsets[1] as number);
    return index < 0 ? undefined : indexes.fill(index);
  }
  const before: number = dictionary.size;
  const isFirstPage = before === 0;
  let count = 0;
  for (let row = 0; row < length; row += 1) {
    if (nullCount > 0 && !isSet(nullBitmap, row)) continue;
    const from = valueOffsets[row] as number;
    const to = valueOffsets[row + 1] as number;
    const known = dictionary.size;
    const index = dictionary.indexOf(values as Uint8Array, from, to);
    if (index < 0) return undefined;
    if (index === known) bounds.add(values as Uint8Array, from, to);
    indexes[count] = index;
    count += 1;
    if (isFirstPage && count === SAMPLE && dictionary.size === count) return undefined;
  }
  if (isFirstPage && dictionary.size > MOST_DISTINCT * count) return undefined;
  return indexes;
}

/** Whether all texts are the same: the key of a parent is. Then the bytes are those of one, again and again. */
function isConstant(offsets: Int32Array, values: Uint8Array): boolean {
  const [, size = 0, second = 0] = offsets;
  const end = offsets.at(-1) as number;
  if (second !== 2 * size || end !== size * (offsets.length - 1) || size === 0) return false;
  return Buffer.compare(values.subarray(size, end), values.subarray(0, end - size)) === 0;
}

/** When so many texts are all different, no more are looked at: ids and addresses are. */
const SAMPLE = 256;
/** The share of different texts in the first page up to which a dictionary makes a file smaller. */
const MOST_DISTINCT = 0.7;

/** Bytes that so many indexes take at most. */
export const indexBytes = (count: number): number => 16 + count * 2;

/** Writes the indexes: one run where all are the same, otherwise as few bits each as the largest needs. */
export function writeIndexes(page: PageBytes, indexes: Int32Array, size: number): void {
  const [first = 0] = indexes;
  const width = Math.max(1, 32 - Math.clz32(size - 1));
  push(page, [width]);
  if (indexes.every((index) => index === first)) {
    push(page, varint(indexes.length * 2));
    push(page, width > 8 ? [first & 0xff, first >> 8] : [first]);
    return;
  }
  const groups = Math.ceil(indexes.length / 8);
  push(page, varint(groups * 2 + 1));
  let [bits, held] = [0, 0];
  for (let i = 0; i < groups * 8; i += 1) {
    bits |= (indexes[i] ?? 0) << held;
    for (held += width; held >= 8; held -= 8, bits >>>= 8) push(page, [bits & 0xff]);
  }
}

/** Writes values of the other types: those that are not null, one after the other. */
export function writeFixed(page: PageBytes, data: ColumnData, type: FieldType): void {
  const { length, nullCount, nullBitmap, values } = data;
  if (type === 'boolean') {
    let [bits, held] = [0, 0];
    for (let row = 0; row < length; row += 1) {
      if (nullCount > 0 && !isSet(nullBitmap, row)) continue;
      if (isSet(values as Uint8Array, row)) bits |= 1 << held;
      held += 1;
      if (held < 8) continue;
      push(page, [bits]);
      [bits, held] = [0, 0];
    }
    if (held > 0) push(page, [bits]);
    return;
  }
  const width = values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (nullCount === 0) {
    page.bytes.set(bytes, page.used);
    page.used += bytes.length;
    return;
  }
  for (let row = 0; row < length; row += 1) {
    if (!isSet(nullBitmap, row)) continue;
    for (let i = 0; i < width; i += 1) page.bytes[page.used + i] = bytes[row * width + i] as number;
    page.used += width;
  }
}
