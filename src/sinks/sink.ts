import type { Batch } from '../model/batch.js';
import type { Row } from '../model/rows.js';
import type { Field, StreamSchema } from '../model/schema.js';
import type { FileContent } from './inspect.js';
import type { Regrouping } from './regrouping.js';

/**
 * Batches of rows in, bytes out. A sink opens no file and knows no path; it is asked for one file at a time,
 * and holds no more than one batch (or one row group) of it.
 */
export interface Sink {
  /** The name of the format. */
  readonly format: string;
  /** The extension of its files, without the leading dot: `parquet`, `csv.gz`. */
  readonly extension: string;
  /** What shapes its bytes: a run with others is another run. */
  readonly options?: Readonly<SinkOptions>;
  /**
   * The bytes of one file. A batch is iterated row by row, or, where it is a `ColumnBatch`, read by column. `batches` may be empty,
   * and is closed when the reader of the bytes stops.
   * @throws SinkError when a row cannot be encoded
   */
  encode(schema: StreamSchema, batches: AsyncIterable<Batch>): AsyncIterable<Uint8Array>;
  /** How rows move to other files of this format; without it, they stay in the files that were written. */
  readonly regroup?: Regrouping;
}

/** The options of a format. */
export interface SinkOptions {
  /** One of the format's `compressions`; default: its first. */
  compression?: string;
  /** CSV only: put a `'` before cells that a spreadsheet would run as a formula. Changes data; default false. */
  csvFormulaGuard?: boolean;
}

/** No row is larger than a page of the API may be. */
export const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** How DuckDB reads the files of a format. */
export interface DuckdbReading {
  /** Whether the columns come with their types; otherwise they are text: timestamps as served, JSON as JSON text. */
  readonly isTyped: boolean;
  /**
   * What follows `FROM`: a row for each row of the files, with these columns at least, and `filename`, from DuckDB 1.3 on.
   * @param paths a list of texts in SQL
   * @param columns those of the files, in order; their names are plain
   */
  from(paths: string, columns: readonly Pick<Field, 'name' | 'type'>[]): string;
}

/** One format of the registry in `index.ts`. */
export interface SinkFormat {
  /** The `format` of its sinks, and its name on the command line. */
  readonly name: string;
  /** A sentence for `--help`. */
  readonly summary: string;
  /** What `compression` may say; the first is the default. */
  readonly compressions: readonly [string, ...string[]];
  /** Whether its files are lines of text, as a terminal or a pipe takes them. */
  readonly isText: boolean;
  /** The option that changes values, if there is one: files written with it are not loaded into a warehouse. */
  readonly lossyOption?: keyof SinkOptions;
  /** How DuckDB reads its files; without it they cannot be loaded into a warehouse. */
  readonly duckdb?: DuckdbReading;
  create(options?: SinkOptions): Sink;
  /**
   * The rows of a file, the inverse of `encode`; gzip around it is decompressed before. Text formats hold rows as they are, and
   * are read as they come. Typed ones are held completely; an instant is RFC 3339 in UTC, unless `extra` has its text as
   * served: then it is that text, and `extra` does not have it. Columns that the file does not have are null.
   * @throws SinkError `file_of_another_schema`, `file_cut`, `file_unreadable`, and what a library throws for a damaged file. Of a text
   * file that ends with a row, nothing says that there were more
   */
  decode(schema: StreamSchema, bytes: AsyncIterable<Uint8Array>): AsyncIterable<readonly Row[]>;
  /** Reads what a file of this format says about itself; gzip around it is decompressed before. @throws when it cannot */
  inspect(bytes: AsyncIterable<Uint8Array>): Promise<FileContent>;
}
