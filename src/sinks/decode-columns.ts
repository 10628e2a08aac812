import { type Data, RecordBatchReader } from 'apache-arrow';
import type { Json } from '../model/records.js';
import type { Row } from '../model/rows.js';
import type { Field, StreamSchema } from '../model/schema.js';
import { formatDate, formatTimestamp } from '../model/timestamp.js';
import { ARROW_TYPES } from './arrow-schema.js';
import { isSameType } from './column-blocks.js';
import { isSet } from './column-data.js';
import { servedTexts } from './decoded-row.js';
import { decodedValue, expectUtf8, parseJson, unreadable } from './decoded-value.js';
import { anotherSchema, fieldsOf } from './file-columns.js';
import { BATCH_BYTES } from './record-batches.js';

/** Rows that are made at a time: thousands of them would outlive the young generation of V8's heap, and let it grow. */
const DECODED_ROWS = 1_000;

/**
 * The rows of an Arrow file or stream, in batches that are bounded as those of the writer are.
 * @throws SinkError `file_of_another_schema`, `file_unreadable`
 */
export function* decodeColumns(schema: StreamSchema, ipc: Uint8Array): Generator<readonly Row[], void, void> {
  const reader = RecordBatchReader.from(ipc).open();
  const columns = reader.schema.fields;
  const fields = fieldsOf(
    schema,
    columns.map(({ name }) => name),
  );
  if (fields.some(({ type }, i) => !isSameType(columns[i]?.type, ARROW_TYPES[type])))
    throw anotherSchema(schema);
  const served = servedTexts(schema);
  for (const { data, numRows } of reader) {
    const children = data.children as readonly Data[];
    const cells = schema.fields.map((field) => cellReader(field, children[fields.indexOf(field)]));
    const bytesBefore = textBytes(children);
    for (let from = 0; from < numRows; ) {
      const most = bytesBefore(from) + BATCH_BYTES;
      const rows: Row[] = [];
      for (
        ;
        from < numRows && rows.length < DECODED_ROWS && (rows.length === 0 || bytesBefore(from) < most);
        from += 1
      ) {
        const row: Record<string, Json> = {};
        for (const [i, { name }] of schema.fields.entries()) row[name] = cells[i]?.(from) ?? null;
        rows.push(served(row));
      }
      yield rows;
    }
  }
}

/** How many bytes the texts of the rows before one have. */
function textBytes(columns: readonly Data[]): (row: number) => number {
  const offsets = columns.flatMap(({ valueOffsets }) => valueOffsets ?? []);
  return (row) => offsets.reduce((sum, ends) => sum + Number(ends[row]), 0);
}

/** Reads one cell of a column as a row holds it; null where the file does not have the column. */
function cellReader(field: Field, data: Data | undefined): (at: number) => Json {
  if (!data) return () => null;
  const value = valueReader(field, data);
  if (data.nullCount === 0) return value;
  if (!field.nullable) throw unreadable(`no \`${field.name}\` in a row`);
  return (at) => (data.getValid(at) ? value(at) : null);
}

function valueReader(field: Field, { values, valueOffsets, offset }: Data): (at: number) => Json {
  if (field.type === 'timestamp') return (at) => formatTimestamp((values as BigInt64Array)[at] as bigint);
  if (field.type === 'date') return lastKept((at) => (values as Int32Array)[at] as number, formatDate);
  if (field.type === 'boolean') return (at) => isSet(values as Uint8Array, offset + at);
  expectUtf8(values as Uint8Array);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const text = (at: number) => bytes.toString('utf8', valueOffsets[at], valueOffsets[at + 1]);
  return field.type === 'json' ? (at) => decodedValue(parseJson(text(at)), field) : text;
}

/** Makes a text of the same number only once: rows of one file are mostly of one day. */
function lastKept(numberAt: (at: number) => number, textOf: (number: number) => string) {
  let [last, text] = [Number.NaN, ''];
  return (at: number): string => {
    const number = numberAt(at);
    if (number !== last) [last, text] = [number, textOf(number)];
    return text;
  };
}
