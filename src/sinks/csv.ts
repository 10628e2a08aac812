import type { Value } from '../rows.js';
import type { StreamSchema } from '../schema.js';
import { cellOf } from './cell.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { inspectCsv } from './inspect.js';
import { jsonText } from './json-text.js';
import { encodeLines, type Lines } from './lines.js';
import type { SinkFormat } from './sink.js';
import { csvRowEnds } from './text-block.js';
import { textRegrouping } from './text-regrouping.js';

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
      regroup: textRegrouping({ rowEnds: csvRowEnds, compression, head: headOf }),
    };
  },
};

/** What must be quoted; space at the edges too, which some readers cut from bare cells, and what some take for null. */
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^(?:|\\N|null|nan|n\/?a|none)$/i;

/** How a cell begins that a spreadsheet runs (OWASP, "CSV Injection"), full-width signs too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

const headOf = ({ fields }: StreamSchema): string =>
  `${fields.map(({ name }) => quoted(name)).join(',')}\r\n`;

function csvLines(schema: StreamSchema, formulaGuard: boolean): Lines {
  return {
    head: headOf(schema),
    line: (row) =>
      `${schema.fields.map((field) => cellText(cellOf(row, field), formulaGuard)).join(',')}\r\n`,
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
