import type { ColumnBatch } from '../model/batch.js';
import type { Value } from '../model/rows.js';
import type { Field, StreamSchema } from '../model/schema.js';
import { rawOf, textOf } from '../raw-text.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { decodeCsv } from './decode-csv.js';
import { guarded } from './formula-guard.js';
import { inspectCsv } from './inspect.js';
import { jsonText } from './json-text.js';
import { encodeLines, type Lines } from './lines.js';
import { MAX_ROW_BYTES, type SinkFormat } from './sink.js';
import { csvRowEnds } from './text-block.js';
import { textRegrouping } from './text-regrouping.js';

/** RFC 4180 with a header: null is an empty cell, the empty text is `""`, `extra` is JSON text. */
export const csv: SinkFormat = {
  name: 'csv',
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
        compressText(encodeLines(schema, csvLines(schema, csvFormulaGuard), batches), compression),
      regroup: textRegrouping({ rowEnds: csvRowEnds, compression, head: headOf }),
    };
  },
};

/**
 * What must be quoted: also space at the edges, which some readers trim from bare cells, a `#` before it, since DuckDB guesses that
 * such lines are comments, and what some take for null.
 */
const NEEDS_QUOTES = /[",\r\n]|^[\s#]|\s$|^(?:|\\N|null|nan|n\/?a|none)$/i;

const headOf = ({ fields }: StreamSchema): string =>
  `${fields.map(({ name }) => quoted(name)).join(',')}\r\n`;

function csvLines(schema: StreamSchema, formulaGuard: boolean): Lines {
  const { fields } = schema;
  return {
    head: headOf(schema),
    columns: (batch) =>
      fields.map((field, i) => ({
        before: i === 0 ? '' : ',',
        cells: cellsOf(field, batch.columns[i] as readonly Value[], { batch, formulaGuard }),
        after: i === fields.length - 1 ? '\r\n' : '',
      })),
  };
}

interface CellOptions {
  batch: ColumnBatch;
  formulaGuard: boolean;
}

function cellsOf(
  { type }: Field,
  values: readonly Value[],
  { batch: { isPlain, isRaw }, formulaGuard }: CellOptions,
): readonly string[] {
  if (type === 'boolean') return values.map((value) => `${value ?? ''}`);
  if (type !== 'json' && isPlain && !formulaGuard && !values.join('').includes(',')) {
    return values.map((value) => plainCell(value, isRaw));
  }
  return values.map((value) => {
    if (value === null) return '';
    const served = type === 'json' ? jsonText(value) : (value as string);
    const text = isRaw ? textOf(served) : served;
    const cell = quoted(formulaGuard ? guarded(text) : text);
    return isRaw ? rawOf(cell) : cell;
  });
}

/** A cell without quotes, commas and line ends: what is left to look at is its edges, and what may be taken for null. */
function plainCell(value: Value, isRaw: boolean): string {
  if (value === null) return '';
  const text = value as string;
  const { length } = text;
  const first = text.charCodeAt(0);
  if (length > 4 && isGraphic(first) && first !== HASH && isGraphic(text.charCodeAt(length - 1))) return text;
  return NEEDS_QUOTES.test(isRaw ? textOf(text) : text) ? `"${text}"` : text;
}

const HASH = 0x23;

/** Whether a character is one of ASCII that is no space. */
const isGraphic = (code: number): boolean => code > 0x20 && code < 0x7f;

function quoted(cell: string): string {
  return NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
