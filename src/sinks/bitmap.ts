import { type ColumnData, isSet } from './column-data.js';

/** Bits that are appended, the lowest of a byte first. */
export function bitmap() {
  let bits = new Uint8Array(128);
  let length = 0;
  const append = (bit: boolean): void => {
    if (length === bits.length * 8) {
      const larger = new Uint8Array(bits.length * 2);
      larger.set(bits);
      bits = larger;
    }
    if (bit) bits[length >> 3] = (bits[length >> 3] as number) | (1 << (length & 7));
    length += 1;
  };
  return {
    append,
    length: () => length,
    finish: () => bits.subarray(0, Math.ceil(length / 8)),
    clear(): void {
      bits.fill(0);
      length = 0;
    },
  };
}

/** One bit a row: set where there is a value. It is kept only once a value is null. */
export function validityBitmap() {
  const bits = bitmap();
  let length = 0;
  let nullCount = 0;
  const append = (valid: boolean): void => {
    if (!valid) {
      while (bits.length() < length) bits.append(true);
      nullCount += 1;
    }
    length += 1;
    if (nullCount > 0) bits.append(valid);
  };
  return {
    append(values: readonly unknown[], from: number, to: number): void {
      if (nullCount === 0 && !values.includes(null)) length += to - from;
      else for (let row = from; row < to; row += 1) append(values[row] !== null);
    },
    copy({ nullCount: nulls, nullBitmap, offset = 0 }: CopiedData, from: number, to: number): void {
      for (let row = from; row < to; row += 1) append(nulls === 0 || isSet(nullBitmap, offset + row));
    },
    finish: () => ({ length, nullCount, nullBitmap: bits.finish() }),
    clear(): void {
      bits.clear();
      length = 0;
      nullCount = 0;
    },
  };
}

/** A column that another implementation of Arrow has read: its bits may begin at any of them. */
export interface CopiedData extends ColumnData {
  readonly offset?: number;
}
