/** Values in Thrift's compact protocol, in which the metadata of Parquet are written. */
export interface Thrift {
  readonly type: number;
  readonly bytes: readonly number[];
}

/** A whole number of 32 bits. */
export const i32 = (value: number): Thrift => ({ type: 5, bytes: varint(zigzag(value)) });

/** A whole number of 64 bits, as far as a number is exact. */
export const i64 = (value: number): Thrift => ({ type: 6, bytes: varint(zigzag(value)) });

export const boolean = (value: boolean): Thrift => ({ type: value ? 1 : 2, bytes: [] });

/** Text in UTF-8, or bytes. */
export function binary(value: string | Uint8Array): Thrift {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return { type: 8, bytes: [...varint(bytes.length), ...bytes] };
}

/** Values of the same type. */
export function list(values: readonly Thrift[]): Thrift {
  const { length } = values;
  const type = values[0]?.type ?? STRUCT;
  const head = length < 15 ? [(length << 4) | type] : [0xf0 | type, ...varint(length)];
  return { type: 9, bytes: head.concat(...values.map(({ bytes }) => bytes)) };
}

const STRUCT = 12;

/** Fields by their number, in ascending order; an undefined one is left out. */
export function struct(fields: Readonly<Record<number, Thrift | undefined>>): Thrift {
  const bytes: number[] = [];
  let last = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (!value) continue;
    const id = Number(key);
    bytes.push(((id - last) << 4) | value.type);
    for (const byte of value.bytes) bytes.push(byte);
    last = id;
  }
  bytes.push(0);
  return { type: STRUCT, bytes };
}

/** Small numbers of either sign become small ones without. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

/** Seven bits a byte, the lowest first. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  bytes.push(left);
  return bytes;
}
