import { csvRowEnds, lineEnds, type RowEnds, splitText } from './text-block.js';

/** What a file says about itself. */
export interface FileContent {
  rows: number;
  /** In the order of the file; undefined where a file without rows does not say. */
  columns?: readonly string[] | undefined;
  /** By the name that the format's `compressions` have for it; undefined where the file does not say. */
  compression?: string | undefined;
}

/** @throws SinkError `file_cut` */
export async function inspectLines(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const { rows, first } = await countRows(bytes, lineEnds());
  return { rows, columns: first === undefined ? undefined : Object.keys(JSON.parse(first) as object) };
}

/** The first line is the header. @throws SinkError `file_cut` */
export async function inspectCsv(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  const { rows, first } = await countRows(bytes, csvRowEnds());
  if (first === undefined) throw new RangeError('the CSV file has no header');
  return { rows: rows - 1, columns: first.trimEnd().split(',') };
}

async function countRows(bytes: AsyncIterable<Uint8Array>, rowEnds: RowEnds) {
  let rows = 0;
  let first: string | undefined;
  for await (const block of splitText(bytes, rowEnds)) {
    first ??= Buffer.from(block.slice(0, 1).bytes).toString('utf8');
    rows += block.rows;
  }
  return { rows, first };
}

/** The bytes of a file in one piece, for formats that are read from their end. */
export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
