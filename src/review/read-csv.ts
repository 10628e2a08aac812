import { type CsvError, parse } from 'csv-parse/stream';
import { ConfigError } from '../errors.js';

/** A file of comma-separated values that another program has written. */
export interface ForeignCsv {
  bytes: AsyncIterable<Uint8Array>;
  /** What messages call it: a flag and a path. */
  place: string;
}

/** A row of such a file: its cells by the names of the columns, in lower case. */
export interface CsvRow {
  /** Of the file, from 1; the header is row 1. Empty ones are counted. */
  readonly number: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** Rows behind a header. */
export interface CsvTable {
  /** In lower case, without space around them. */
  readonly columns: readonly string[];
  rows(): AsyncGenerator<CsvRow, void, void>;
}

/** The most bytes of a row: more is no row, but a quote without an end. */
const MAX_ROW_BYTES = 1024 * 1024;
/** In the order in which they are tried; the one that the header has most often is taken. */
const DELIMITERS = [',', ';', '\t'];

/**
 * Reads what spreadsheets and identity providers write: separated by commas, semicolons or tabs, with any line ends, in UTF-8 with
 * or without a byte order mark. Empty rows are passed over. Memory does not grow with the rows.
 * @throws ConfigError `file_not_utf8`, `file_empty`, `file_not_csv`, here and while the rows are read; what reading the bytes throws
 */
export async function readCsv({ bytes, place }: ForeignCsv): Promise<CsvTable> {
  const texts = decoded(bytes, place);
  let head = '';
  let isDone = false;
  while (!isDone && !/[\r\n]/.test(head.trimStart())) {
    const { value, done } = await texts.next();
    isDone = done === true;
    head += value ?? '';
    if (head.length > MAX_ROW_BYTES) throw notCsv(place, 'its first row is too long');
  }
  if (head.trim() === '') throw new ConfigError(`${place} is empty.`, { code: 'file_empty' });
  const records = recordsOf(head, texts, place);
  const first = await records.next();
  if (first.done) throw new ConfigError(`${place} is empty.`, { code: 'file_empty' });
  const columns = first.value.cells.map((name) => name.trim().toLowerCase());
  return {
    columns,
    async *rows() {
      for await (const { number, cells } of records)
        yield { number, cells: Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ''])) };
    },
  };
}

interface Cells {
  number: number;
  cells: readonly string[];
}

async function* recordsOf(head: string, rest: AsyncIterable<string>, place: string): AsyncGenerator<Cells> {
  async function* buffers(): AsyncGenerator<Buffer> {
    yield Buffer.from(head);
    for await (const text of rest) yield Buffer.from(text);
  }
  const parser = parse({
    delimiter: delimiterOf(head),
    relax_column_count: true,
    max_record_size: MAX_ROW_BYTES,
  });
  const records = ReadableStream.from<Buffer>(buffers()).pipeThrough(parser) as ReadableStream<string[]>;
  let number = 0;
  try {
    for await (const cells of records) {
      number += 1;
      if (cells.some((cell) => cell !== '')) yield { number, cells };
    }
  } catch (error) {
    const { code } = error as CsvError;
    // Its own text may quote a cell.
    if (typeof code === 'string' && code.startsWith('CSV_'))
      throw notCsv(place, `row ${number + 1} cannot be read (${code})`);
    throw error;
  }
}

function delimiterOf(head: string): string {
  const [line = ''] = head.trimStart().split(/[\r\n]/, 1);
  const [best = ','] = DELIMITERS.map((delimiter) => ({ delimiter, count: line.split(delimiter).length }))
    .sort((a, b) => b.count - a.count)
    .map(({ delimiter }) => delimiter);
  return best;
}

/** A byte order mark is passed over. */
async function* decoded(bytes: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw new ConfigError(
        `${place} is not in UTF-8. Save it again as "CSV UTF-8" (in LibreOffice: "Edit filter settings", Unicode).`,
        { code: 'file_not_utf8', cause },
      );
    }
  };
  for await (const chunk of bytes) yield decode(chunk);
  yield decode();
}

const notCsv = (place: string, problem: string): ConfigError =>
  new ConfigError(`${place} cannot be read as CSV: ${problem}.`, { code: 'file_not_csv' });
