/** A column of a record batch, in the memory layout of Arrow. The arrays may be parts of larger ones, and be filled anew later. */
export interface ColumnData {
  readonly length: number;
  readonly nullCount: number;
  /** A bit a row, the lowest of a byte first, set where there is a value; may be missing where no value is null. */
  readonly nullBitmap: Uint8Array;
  /** Of texts: where each begins in `values`, and where the last ends. */
  readonly valueOffsets: Int32Array;
  /** Texts in UTF-8, instants (`BigInt64Array`), days (`Int32Array`), or bits. */
  readonly values: Uint8Array | BigInt64Array | Int32Array;
}

/** Some rows, column by column in the order of the schema. */
export interface RecordBatch {
  readonly rows: number;
  readonly columns: readonly ColumnData[];
}

/** Whether a bit is set. A bitmap that is missing has none: Apache's writer leaves out those of a column without any. */
export const isSet = (bits: Uint8Array, at: number): boolean =>
  (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
