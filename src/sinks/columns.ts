import {
  type Data,
  type DataType,
  DateDay,
  Field,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { Row } from '../rows.js';
import type { FieldType, StreamSchema } from '../schema.js';
import { type TypedValue, typedRowReader } from './typed-row.js';

/** Bounds of a record batch: what a typed sink holds of a file at least, and beyond which no row is added. */
const BATCH_ROWS = 8192;
const BATCH_BYTES = 2 * 1024 * 1024;

const ARROW_TYPES = {
  string: new Utf8(),
  timestamp: new TimestampMicrosecond('UTC'),
  date: new DateDay(),
  json: new Utf8(),
} as const satisfies Record<FieldType, DataType>;

/** The Arrow schema of a stream. */
export function arrowSchemaOf(schema: StreamSchema): Schema {
  return new Schema(
    schema.fields.map(({ name, type, nullable }) => new Field(name, ARROW_TYPES[type], nullable)),
  );
}

/** The Arrow schema of a stream as text, one field a line. */
export const describeArrow = (schema: StreamSchema): string =>
  arrowSchemaOf(schema)
    .fields.map(({ name, type, nullable }) => `${name}: ${type}${nullable ? '' : ' not null'}`)
    .join('\n');

/**
 * The one way from rows to columns: record batches of bounded size, whatever the size of the batches of rows.
 * Their buffers are filled by hand, which costs a fifth of what the library's builders do.
 */
export async function* recordBatches(
  schema: StreamSchema,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<RecordBatch> {
  const builder = batchBuilder(schema);
  for await (const batch of batches) {
    for (const row of batch) {
      builder.append(row);
      if (builder.rows() >= BATCH_ROWS || builder.bytes() >= BATCH_BYTES) yield builder.finish();
    }
  }
  if (builder.rows() > 0) yield builder.finish();
}

/** A record batch without rows: by it an encoder learns the columns of an empty file. */
export function emptyBatch(schema: StreamSchema): RecordBatch {
  return batchBuilder(schema).finish();
}

/** A batch in the form in which another implementation of Arrow takes it: a whole IPC stream of its own. */
export function ipcStreamOf(batch: RecordBatch): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, batch.schema); // without it a batch of no rows would leave no schema either
  writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

function batchBuilder(schema: StreamSchema) {
  const arrowSchema = arrowSchemaOf(schema); // one object for all batches of a file: a writer drops a batch of another
  const readRow = typedRowReader(schema);
  const newColumns = () => schema.fields.map(({ type }) => COLUMNS[type]());
  let columns = newColumns();
  let rows = 0;
  return {
    rows: () => rows,
    bytes: () => columns.reduce((bytes, column) => bytes + column.bytes(), 0),
    append(row: Row): void {
      const values = readRow(row);
      for (let i = 0; i < columns.length; i += 1) (columns[i] as Column).append(values[i] as TypedValue);
      rows += 1;
    },
    /** The batch so far; the next row begins another. Its buffers are not used again. */
    finish(): RecordBatch {
      const children = columns.map((column) => column.finish());
      const data = makeData({ type: new Struct(arrowSchema.fields), length: rows, nullCount: 0, children });
      columns = newColumns();
      rows = 0;
      return new RecordBatch(arrowSchema, data);
    },
  };
}

/** One column of a batch that is being filled. */
interface Column {
  append(value: TypedValue): void;
  /** What its values take so far. */
  bytes(): number;
  finish(): Data;
}

const COLUMNS: Record<FieldType, () => Column> = {
  string: () => textColumn(ARROW_TYPES.string),
  timestamp: () => fixedColumn(ARROW_TYPES.timestamp, BigInt64Array),
  date: () => fixedColumn(ARROW_TYPES.date, Int32Array),
  json: () => textColumn(ARROW_TYPES.json),
};

/** A page of rows. */
const FIRST_CAPACITY = 1024;

/** All texts of a column one after the other, and where each ends. */
function textColumn(type: Utf8): Column {
  const validity = validityBitmap();
  let text = Buffer.alloc(FIRST_CAPACITY * 16);
  let ends = new Int32Array(FIRST_CAPACITY + 1);
  let length = 0;
  let used = 0;
  return {
    append(value) {
      if (length + 1 === ends.length) ends = enlarged(ends, new Int32Array(ends.length * 2));
      if (typeof value === 'string') {
        const needed = used + value.length * 3; // no UTF-16 unit takes more in UTF-8
        if (needed > text.length) text = enlarged(text, Buffer.alloc(Math.max(text.length * 2, needed)));
        used += text.write(value, used);
      }
      validity.append(value !== null);
      length += 1;
      ends[length] = used;
    },
    bytes: () => used + length * 4,
    finish: () =>
      makeData({
        type,
        length,
        ...validity.finish(),
        valueOffsets: ends.subarray(0, length + 1),
        data: text.subarray(0, used),
      }),
  };
}

/** Values that take the same number of bytes each. */
function fixedColumn(
  type: TimestampMicrosecond | DateDay,
  FixedArray: BigInt64ArrayConstructor | Int32ArrayConstructor,
): Column {
  const validity = validityBitmap();
  let values = new FixedArray(FIRST_CAPACITY);
  let length = 0;
  return {
    append(value) {
      if (length === values.length) values = enlarged(values, new FixedArray(values.length * 2));
      if (value !== null) values[length] = value as never; // bigint or number, as the column's type has it
      validity.append(value !== null);
      length += 1;
    },
    bytes: () => length * values.BYTES_PER_ELEMENT,
    finish: () =>
      makeData<DataType>({ type, length, ...validity.finish(), data: values.subarray(0, length) } as never),
  };
}

/** One bit a row: set where there is a value. */
function validityBitmap() {
  let bits = new Uint8Array(FIRST_CAPACITY / 8);
  let length = 0;
  let nullCount = 0;
  return {
    append(valid: boolean): void {
      if (length === bits.length * 8) bits = enlarged(bits, new Uint8Array(bits.length * 2));
      if (valid) bits[length >> 3] = (bits[length >> 3] as number) | (1 << (length & 7));
      else nullCount += 1;
      length += 1;
    },
    finish: () => ({ nullBitmap: bits.subarray(0, Math.ceil(length / 8)), nullCount }),
  };
}

/** Copies what is there into the larger array that takes its place. */
function enlarged<A extends { set(values: never): void }>(array: A, larger: A): A {
  larger.set(array as never);
  return larger;
}
