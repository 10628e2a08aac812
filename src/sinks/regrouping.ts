import type { StreamSchema } from '../schema.js';

/** Rows as a file holds them: they are counted and cut, but never looked into. */
export interface Block {
  readonly rows: number;
  /** From the row `from` up to, and without, the row `to`. */
  slice(from: number, to: number): Block;
}

/** Takes files of one format apart and puts their rows into others, every value just as it stands. */
export interface Regrouping {
  /** The rows of one whole file, in its order. @throws SinkError when it is not such a file, or is cut */
  split(schema: StreamSchema, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Block>;
  /** The bytes of a file of rows that `split` gave: the same as `encode` makes of them. */
  join(schema: StreamSchema, blocks: AsyncIterable<Block>): AsyncIterable<Uint8Array>;
}
