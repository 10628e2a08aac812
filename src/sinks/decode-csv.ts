import type { Json } from '../model/records.js';
import type { Row } from '../model/rows.js';
import type { Field, StreamSchema } from '../model/schema.js';
import { csvRows } from './csv-cells.js';
import { decodedValue, expectUtf8, parseJson, unreadable } from './decoded-value.js';
import { fieldsOf } from './file-columns.js';
import { csvRowEnds, inPieces, splitText } from './text-block.js';

/**
 * The rows of CSV: timestamps as served. What the formula guard put before a text stays there: it could have been part of
 * the text.
 */
export async function* decodeCsv(
  schema: StreamSchema,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Row[], void, void> {
  let fields: readonly Field[] | undefined;
  for await (const block of splitText(inPieces(bytes), csvRowEnds())) {
    expectUtf8(block.bytes);
    const rows: Row[] = [];
    for (const cells of csvRows(block.bytes)) {
      if (fields) rows.push(rowOf(cells, fields, schema));
      else fields = fieldsOf(schema, cells.map(String));
    }
    if (rows.length > 0) yield rows;
  }
  if (!fields) throw unreadable('no header');
}

function rowOf(cells: readonly (string | null)[], held: readonly Field[], { fields }: StreamSchema): Row {
  if (cells.length !== held.length) throw unreadable('a row with another number of cells than the header');
  const row: Record<string, Json> = {};
  if (held.length !== fields.length) for (const { name } of fields) row[name] = null;
  for (const [i, field] of held.entries()) {
    const cell = cells[i] ?? null;
    row[field.name] = decodedValue(cell === null ? null : cellValue(cell, field), field);
  }
  return row;
}

function cellValue(cell: string, { name, type }: Field): Json {
  if (type === 'json') return parseJson(cell.startsWith("'") ? cell.slice(1) : cell); // guarded: a negative number
  if (type !== 'boolean') return cell;
  if (cell !== 'true' && cell !== 'false') throw unreadable(`neither true nor false in \`${name}\``);
  return cell === 'true';
}
