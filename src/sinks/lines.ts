import type { Batch, ColumnBatch } from '../model/batch.js';
import type { StreamSchema } from '../model/schema.js';
import { checkedBatch } from './checked-batch.js';

/** Characters in a chunk: large enough that neither a write nor a text is made for each row. */
const CHUNK_CHARACTERS = 128 * 1024;

/** One column of a batch as text. */
export interface TextColumn {
  /** What comes before each cell. */
  before: string;
  /** A text for each row. */
  cells: readonly string[];
  /** What comes after each cell. */
  after: string;
}

/** What a text format is: how a file begins, and its lines, column by column. */
export interface Lines {
  head?: string;
  /** In order; together with what comes before and after each, the cells of a row are its line. */
  columns(batch: ColumnBatch): TextColumn[];
}

/** The text of a file in UTF-8, in chunks of about 128 KiB (or of one line, if that is longer). */
export async function* encodeLines(
  schema: StreamSchema,
  { head = '', columns }: Lines,
  batches: AsyncIterable<Batch>,
): AsyncGenerator<Uint8Array> {
  let text = head;
  let encoding: BufferEncoding = 'utf8';
  for await (const batch of batches) {
    const checked = checkedBatch(schema, batch);
    const own = checked.isRaw ? 'latin1' : 'utf8';
    if (own !== encoding && text !== '') {
      yield Buffer.from(text, encoding);
      text = '';
    }
    encoding = own;
    const { cells, between } = joinable(columns(checked));
    const [first = '', ...others] = between;
    for (let row = 0; row < batch.length; row += 1) {
      text += first;
      for (let i = 0; i < cells.length; i += 1) text += (cells[i]?.[row] as string) + others[i];
      if (text.length < CHUNK_CHARACTERS) continue;
      yield Buffer.from(text, encoding);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text, encoding);
}

/** The columns whose cells differ, and the text before, between and after them. */
export function joinable(columns: readonly TextColumn[]) {
  const cells: (readonly string[])[] = [];
  const between: string[] = [];
  let text = '';
  for (const { before, cells: column, after } of columns) {
    const [first = ''] = column;
    if (column.every((cell) => cell === first)) {
      text += before + first + after;
    } else {
      between.push(text + before);
      cells.push(column);
      text = after;
    }
  }
  return { cells, between: [...between, text] };
}
