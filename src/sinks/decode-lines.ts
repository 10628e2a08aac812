import type { Json } from '../model/records.js';
import type { Row } from '../model/rows.js';
import type { Field, StreamSchema } from '../model/schema.js';
import { decodedValue, expectUtf8, parseJson, unreadable } from './decoded-value.js';
import { fieldsOf } from './file-columns.js';
import { inPieces, lineEnds, splitText } from './text-block.js';

/** The rows of NDJSON: timestamps as served. Every line names the same columns. */
export async function* decodeLines(
  schema: StreamSchema,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Row[], void, void> {
  let file: { columns: readonly string[]; fields: readonly Field[] } | undefined;
  for await (const block of splitText(inPieces(bytes), lineEnds())) {
    expectUtf8(block.bytes);
    const lines = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length)
      .toString() // keeps a byte order mark, which a TextDecoder would drop
      .split('\n');
    lines.pop(); // what follows the last line's end
    yield lines.map((line) => {
      const record = parseJson(line);
      if (typeof record !== 'object' || record === null || Array.isArray(record))
        throw unreadable('a line that is not an object');
      const columns = Object.keys(record);
      file ??= { columns, fields: fieldsOf(schema, columns) };
      if (!sameTexts(columns, file.columns)) throw unreadable('lines with different columns');
      for (const field of file.fields) decodedValue(record[field.name] as Json, field);
      return columns.length === schema.fields.length ? record : withAll(record, schema);
    });
  }
}

/** A row of an older file with the columns that were added since. */
const withAll = (record: { [name: string]: Json }, { fields }: StreamSchema): Row =>
  Object.fromEntries(fields.map(({ name }) => [name, record[name] ?? null]));

const sameTexts = (texts: readonly string[], others: readonly string[]): boolean =>
  texts.length === others.length && texts.every((text, i) => text === others[i]);
