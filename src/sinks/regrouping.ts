import type { StreamSchema } from '../model/schema.js';

/** Rows as a file holds them: they are counted and cut, but never decoded. */
export interface Block {
  readonly rows: number;
  /** From the row `from` up to, and without, the row `to`. */
  slice(from: number, to: number): Block;
}

/** Splits files of one format and joins their rows into other files, every value unchanged. */
export interface Regrouping {
  /** The rows of one file, in its order. @throws SinkError when it is not a file of this format, or is truncated */
  split(schema: StreamSchema, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Block>;
  /** The bytes of a file of rows that `split` gave: the same as `encode` makes of them. */
  join(schema: StreamSchema, blocks: AsyncIterable<Block>): AsyncIterable<Uint8Array>;
}
