import type { ColumnBatch } from '../model/batch.js';
import type { Value } from '../model/rows.js';
import { jsonText } from './json-text.js';
import { joinable, type TextColumn } from './lines.js';

/**
 * The rows of a batch as JSON objects, column by column: the order is the schema's, and nothing else is included.
 * @param end what follows each object
 */
export const jsonColumns = ({ schema: { fields }, columns, isPlain }: ColumnBatch, end = ''): TextColumn[] =>
  fields.map(({ name, type }, i) => {
    const values = columns[i] as readonly Value[];
    const before = `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`;
    const after = i === fields.length - 1 ? `}${end}` : '';
    const isQuoted = isPlain && type !== 'json' && type !== 'boolean';
    if (isQuoted && !values.includes(null)) {
      return { before: `${before}"`, cells: values as readonly string[], after: `"${after}` };
    }
    return { before, cells: values.map(isQuoted ? quotedOrNull : jsonText), after };
  });

const quotedOrNull = (value: Value): string => (value === null ? 'null' : `"${value}"`);

/** The same, an object a text: raw where the batch is. */
export function jsonRows(batch: ColumnBatch): string[] {
  const { cells, between } = joinable(jsonColumns(batch));
  const [first = '', ...others] = between;
  return Array.from({ length: batch.length }, (_, row) =>
    cells.reduce((text, column, i) => text + column[row] + others[i], first),
  );
}
