import { SinkError } from '../errors.js';
import type { Block } from './regrouping.js';

/** Complete lines of a text format. */
export interface TextBlock extends Block {
  readonly bytes: Uint8Array;
  slice(from: number, to: number): TextBlock;
}

function textBlock(bytes: Uint8Array, ends: readonly number[]): TextBlock {
  return {
    bytes,
    rows: ends.length,
    slice(from, to) {
      const start = from === 0 ? 0 : (ends[from - 1] as number);
      const cut = ends.slice(from, to).map((end) => end - start);
      return textBlock(bytes.subarray(start, start + (cut.at(-1) ?? 0)), cut);
    },
  };
}

/** Finds where rows end in the next bytes of a file: after the newlines that do. */
export type RowEnds = (bytes: Uint8Array) => number[];

const [NEWLINE, QUOTE] = [0x0a, 0x22];

/** NDJSON: a newline ends a row and is never part of one. */
export const lineEnds = (): RowEnds => (bytes) => {
  const ends: number[] = [];
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) ends.push(at + 1);
  return ends;
};

/** CSV: a newline ends a row unless it is quoted. */
export const csvRowEnds = (): RowEnds => {
  let isQuoted = false;
  return (bytes) => {
    const ends: number[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      if (bytes[at] === QUOTE) isQuoted = !isQuoted;
      else if (bytes[at] === NEWLINE && !isQuoted) ends.push(at + 1);
    }
    return ends;
  };
};

/** A bound for the blocks of `splitText`, whatever the source: each then has that much, or one row. */
const PIECE_BYTES = 256 * 1024;

/** The same bytes in pieces of bounded size. */
export async function* inPieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
  }
}

/**
 * The rows of a text file, a header among them, in blocks as its bytes come.
 * @throws SinkError `file_cut` when the last row has no end
 */
export async function* splitText(
  bytes: AsyncIterable<Uint8Array>,
  rowEnds: RowEnds,
): AsyncGenerator<TextBlock> {
  let open: Uint8Array[] = []; // the beginning of a row
  for await (const chunk of bytes) {
    const ends = rowEnds(chunk);
    const whole = ends.at(-1);
    if (whole === undefined) {
      open.push(chunk);
      continue;
    }
    const known = open.reduce((sum, { length }) => sum + length, 0);
    const text = Buffer.concat([...open, chunk.subarray(0, whole)]);
    yield textBlock(
      text,
      ends.map((end) => known + end),
    );
    open = [chunk.subarray(whole)];
  }
  if (open.every(({ length }) => length === 0)) return;
  throw new SinkError('A file is cut: its last row has no end.', { code: 'file_cut' });
}
