import type { Row } from '../model/rows.js';

/** Characters in a chunk: large enough that neither a write nor a string is made for each row. */
const CHUNK_CHARACTERS = 64 * 1024;

/** What a text format is: how a file begins, and one row as a line. */
export interface Lines {
  head?: string;
  line(row: Row): string;
}

/** The text of a file in UTF-8, in chunks of about 64 KiB (or of one line, if that is longer). */
export async function* encodeLines(
  { head = '', line }: Lines,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = head;
  for await (const batch of batches) {
    for (const row of batch) {
      text += line(row);
      if (text.length < CHUNK_CHARACTERS) continue;
      yield encoder.encode(text);
      text = '';
    }
  }
  if (text !== '') yield encoder.encode(text);
}
