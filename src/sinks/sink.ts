import type { Row } from '../rows.js';
import type { StreamSchema } from '../schema.js';
import type { FileContent } from './inspect.js';
import type { Regrouping } from './regrouping.js';

/**
 * Batches of rows in, bytes out. A sink opens no file and knows no path; it is asked for one file at a time,
 * and holds no more than one batch (or one row group) of it.
 */
export interface Sink {
  /** The format's name, as on the command line. */
  readonly format: string;
  /** How its files end, without the leading dot: `parquet`, `csv.gz`. */
  readonly extension: string;
  /** What shapes its bytes: a run with others is another run. */
  readonly options?: Readonly<SinkOptions>;
  /**
   * The bytes of one whole file. `batches` may be empty, and is closed when the reader of the bytes stops.
   * @throws SinkError when a row cannot be encoded
   */
  encode(schema: StreamSchema, batches: AsyncIterable<readonly Row[]>): AsyncIterable<Uint8Array>;
  /** How rows move to other files of this format; a sink without it is laid out in one way only. */
  readonly regroup?: Regrouping;
}

/** What a format may be told. */
export interface SinkOptions {
  /** One of the format's `compressions`; default: its first. */
  compression?: string;
  /** CSV only: put a `'` before cells that a spreadsheet would run as a formula. Changes data; default false. */
  csvFormulaGuard?: boolean;
}

/** One format of the registry in `index.ts`. */
export interface SinkFormat {
  readonly name: string;
  /** The `format` of its sinks: another than the name where two writers make the same kind of file. */
  readonly format: string;
  /** A sentence for `--help`. */
  readonly summary: string;
  /** What `compression` may say; the first is the default. */
  readonly compressions: readonly [string, ...string[]];
  create(options?: SinkOptions): Sink;
  /** Reads what a file of this format, not compressed as a whole, says of itself. @throws when it cannot be read */
  inspect(bytes: AsyncIterable<Uint8Array>): Promise<FileContent>;
}
