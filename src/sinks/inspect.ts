/** What a file says of itself. */
export interface FileContent {
  rows: number;
  /** In the order of the file; undefined where a file without rows does not tell. */
  columns?: readonly string[] | undefined;
}

const [NEWLINE, QUOTE] = [0x0a, 0x22];

/** NDJSON: a newline ends a row and is never part of one. */
export async function inspectLines(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  let rows = 0;
  const head = new Head();
  for await (const chunk of bytes) {
    head.add(chunk);
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) rows += 1;
  }
  return { rows, columns: rows === 0 ? undefined : Object.keys(JSON.parse(head.line()) as object) };
}

/** CSV: a newline ends a row unless it is quoted; the first one is the header. */
export async function inspectCsv(bytes: AsyncIterable<Uint8Array>): Promise<FileContent> {
  let lines = 0;
  let isQuoted = false;
  const head = new Head();
  for await (const chunk of bytes) {
    head.add(chunk);
    for (const byte of chunk) {
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === NEWLINE && !isQuoted) lines += 1;
    }
  }
  if (isQuoted || lines === 0) throw new RangeError('the CSV file is cut');
  return { rows: lines - 1, columns: head.line().trimEnd().split(',') };
}

/** The bytes of a file in one piece, for formats that are read from their end. */
export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Keeps a file's beginning until its first line is whole. */
class Head {
  readonly #chunks: Uint8Array[] = [];
  #isWhole = false;

  add(chunk: Uint8Array): void {
    if (this.#isWhole) return;
    this.#chunks.push(chunk);
    this.#isWhole = chunk.includes(NEWLINE);
  }

  line(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    return text.slice(0, text.indexOf('\n'));
  }
}
