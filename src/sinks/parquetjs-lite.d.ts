/** The part of parquetjs-lite that is used; it ships no types. */
declare module 'parquetjs-lite' {
  interface ColumnOptions {
    type: 'UTF8' | 'TIMESTAMP_MICROS' | 'DATE' | 'BOOLEAN';
    optional: boolean;
    compression: 'SNAPPY' | 'GZIP' | 'UNCOMPRESSED';
    statistics: false;
  }
  export class ParquetSchema {
    constructor(columns: Record<string, ColumnOptions>);
  }
  /** The part of a stream that the writer calls. */
  interface Output {
    write(bytes: Uint8Array, done: () => void): void;
    end(done: () => void): void;
  }
  export class ParquetWriter {
    static openStream(
      schema: ParquetSchema,
      output: Output,
      options: { rowGroupSize: number; pageIndex: false },
    ): Promise<ParquetWriter>;
    appendRow(row: Record<string, unknown>): Promise<void>;
    setRowGroupSize(rows: number): void;
    close(): Promise<void>;
  }
}
