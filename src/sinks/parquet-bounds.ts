import { type ColumnData, isSet } from './column-data.js';

/** The least and the greatest value of a column chunk, as Parquet writes and compares them. */
export interface Bounds {
  readonly least: Uint8Array;
  readonly greatest: Uint8Array;
}

/** Finds the bounds of texts, which compare by their bytes. */
export interface TextBounds {
  add(bytes: Uint8Array, from: number, to: number): void;
  /** Undefined when there was no text, or when one of the two is longer than is worth keeping. */
  finish(): Bounds | undefined;
}

/** A reader skips row groups by their bounds; longer ones would have to be cut, which not every reader expects. */
const LONGEST = 256;

export function textBounds(): TextBounds {
  let least: Uint8Array | undefined;
  let greatest: Uint8Array | undefined;
  return {
    add(bytes, from, to) {
      if (!least || compare(bytes, from, to, least) < 0) least = Buffer.from(bytes.subarray(from, to));
      if (!greatest || compare(bytes, from, to, greatest) > 0)
        greatest = Buffer.from(bytes.subarray(from, to));
    },
    finish: () =>
      least && greatest && Math.max(least.length, greatest.length) <= LONGEST
        ? { least, greatest }
        : undefined,
  };
}

function compare(bytes: Uint8Array, from: number, to: number, bound: Uint8Array): number {
  const length = Math.min(to - from, bound.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (bytes[from + i] as number) - (bound[i] as number);
    if (difference !== 0) return difference;
  }
  return to - from - bound.length;
}

/** Finds the bounds of instants or days. */
export function numberBounds() {
  let [least, greatest]: (bigint | number)[] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let width = 0;
  return {
    add({ length, nullCount, nullBitmap, values }: ColumnData): void {
      // The high halves of instants are compared first: reading them as BigInt would make an object for each.
      const isLong = values instanceof BigInt64Array;
      const words = isLong ? new Int32Array(values.buffer, values.byteOffset, 2 * length) : values;
      let [low, high] = [-1, -1];
      for (let row = 0; row < length; row += 1) {
        if (nullCount > 0 && !isSet(nullBitmap, row)) continue;
        if (low < 0) [low, high] = [row, row];
        else if (isLess(words as Int32Array, row, low, isLong)) low = row;
        else if (isLess(words as Int32Array, high, row, isLong)) high = row;
      }
      if (low < 0) return;
      width = values.BYTES_PER_ELEMENT;
      const [first, last] = [values[low], values[high]] as [bigint, bigint];
      if (first < (least as bigint)) least = first;
      if (last > (greatest as bigint)) greatest = last;
    },
    finish: (): Bounds | undefined =>
      width === 0
        ? undefined
        : { least: bytesOf(least as bigint, width), greatest: bytesOf(greatest as bigint, width) },
  };
}

function isLess(words: Int32Array, row: number, other: number, isLong: boolean): boolean {
  if (!isLong) return (words[row] as number) < (words[other] as number);
  const [high, otherHigh] = [words[2 * row + 1] as number, words[2 * other + 1] as number];
  if (high !== otherHigh) return high < otherHigh;
  return (words[2 * row] as number) >>> 0 < (words[2 * other] as number) >>> 0;
}

function bytesOf(value: bigint | number, width: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes.subarray(0, width);
}
