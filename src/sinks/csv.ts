import type { Value } from '../rows.js';
import type { StreamSchema } from '../schema.js';
import { cellOf } from './cell.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { inspectCsv } from './inspect.js';
import { jsonText } from './json-text.js';
import { encodeLines, type Lines } from './lines.js';
import type { SinkFormat } from './sink.js';

/** RFC 4180 with a header: null is an empty cell, the empty text is `""`, `extra` is JSON text. */
export const csv: SinkFormat = {
  name: 'csv',
  format: 'csv',
  summary: 'RFC 4180 with a header; null is an empty cell, the empty text is "", `extra` is JSON text.',
  compressions: TEXT_COMPRESSIONS,
  inspect: inspectCsv,
  create(options = {}) {
    const compression = chooseCompression('csv', TEXT_COMPRESSIONS, options.compression);
    const csvFormulaGuard = options.csvFormulaGuard ?? false;
    return {
      format: 'csv',
      extension: compression === 'gzip' ? 'csv.gz' : 'csv',
      options: { compression, csvFormulaGuard },
      encode: (schema, batches) =>
        compressText(encodeLines(csvLines(schema, csvFormulaGuard), batches), compression),
    };
  },
};

/** What must be quoted; space at the edges too, which some readers cut from bare cells, and what some take for null. */
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^(?:|\\N|null|nan|n\/?a|none)$/i;

/** How a cell begins that a spreadsheet runs (OWASP, "CSV Injection"), full-width signs too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

function csvLines({ fields }: StreamSchema, formulaGuard: boolean): Lines {
  return {
    head: `${fields.map(({ name }) => quoted(name)).join(',')}\r\n`,
    line: (row) => `${fields.map((field) => cellText(cellOf(row, field), formulaGuard)).join(',')}\r\n`,
  };
}

function cellText(value: Value, formulaGuard: boolean): string {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : jsonText(value);
  return quoted(formulaGuard && FORMULA.test(text) ? `'${text}` : text);
}

function quoted(cell: string): string {
  return NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
