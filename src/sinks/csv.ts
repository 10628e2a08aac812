import type { Row } from '../model/rows.js';
import type { Field, StreamSchema } from '../model/schema.js';
import { cellOf } from './cell.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { decodeCsv } from './decode-csv.js';
import { inspectCsv } from './inspect.js';
import { jsonText } from './json-text.js';
import { encodeLines, type Lines } from './lines.js';
import { MAX_ROW_BYTES, type SinkFormat } from './sink.js';
import { csvRowEnds } from './text-block.js';
import { textRegrouping } from './text-regrouping.js';

/** RFC 4180 with a header: null is an empty cell, the empty text is `""`, `extra` is JSON text. */
export const csv: SinkFormat = {
  name: 'csv',
  format: 'csv',
  summary: 'RFC 4180 with a header; null is an empty cell, the empty text is "", `extra` is JSON text.',
  compressions: TEXT_COMPRESSIONS,
  isText: true,
  lossyOption: 'csvFormulaGuard',
  duckdb: {
    isTyped: false,
    // In parallel, DuckDB guesses where a row begins inside quoted line ends: one thread reads it right.
    from: (paths, columns) =>
      `read_csv(${paths}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', new_line = '\\r\\n', nullstr = '', allow_quoted_nulls = false, hive_partitioning = false, parallel = false, max_line_size = ${MAX_ROW_BYTES}, columns = {${columns.map(({ name }) => `"${name}": 'VARCHAR'`).join(', ')}})`,
  },
  decode: decodeCsv,
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

/** What must be quoted: also space at the edges, which some readers trim from bare cells, and what some take for null. */
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^(?:|\\N|null|nan|n\/?a|none)$/i;

/** The start of a cell that a spreadsheet runs as a formula (OWASP, "CSV Injection"), full-width signs included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

const headOf = ({ fields }: StreamSchema): string =>
  `${fields.map(({ name }) => quoted(name)).join(',')}\r\n`;

function csvLines(schema: StreamSchema, formulaGuard: boolean): Lines {
  return {
    head: headOf(schema),
    line: (row) => `${schema.fields.map((field) => cellText(row, field, formulaGuard)).join(',')}\r\n`,
  };
}

function cellText(row: Row, field: Field, formulaGuard: boolean): string {
  const value = cellOf(row, field);
  if (value === null) return '';
  if (field.type === 'boolean') return `${value}`;
  const text = field.type === 'json' ? jsonText(value) : (value as string);
  return quoted(formulaGuard && FORMULA.test(text) ? `'${text}` : text);
}

function quoted(cell: string): string {
  return NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
