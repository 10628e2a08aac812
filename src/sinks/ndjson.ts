import type { StreamSchema } from '../model/schema.js';
import { cellOf } from './cell.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { inspectLines } from './inspect.js';
import { jsonText } from './json-text.js';
import { encodeLines, type Lines } from './lines.js';
import { MAX_ROW_BYTES, type SinkFormat } from './sink.js';
import { lineEnds } from './text-block.js';
import { textRegrouping } from './text-regrouping.js';

/** One JSON object a line, with every column, nulls too; `extra` is nested and timestamps are as served. */
export const ndjson: SinkFormat = {
  name: 'ndjson',
  format: 'ndjson',
  summary: 'One JSON object a line; `extra` nested, timestamps as served.',
  compressions: TEXT_COMPRESSIONS,
  isText: true,
  duckdb: { isTyped: false, from: linesInDuckdb },
  inspect: inspectLines,
  create(options = {}) {
    const compression = chooseCompression('ndjson', TEXT_COMPRESSIONS, options.compression);
    return {
      format: 'ndjson',
      extension: compression === 'gzip' ? 'ndjson.gz' : 'ndjson',
      options: { compression },
      encode: (schema, batches) => compressText(encodeLines(jsonLines(schema), batches), compression),
      regroup: textRegrouping({ rowEnds: lineEnds, compression }),
    };
  },
};

function jsonLines({ fields }: StreamSchema): Lines {
  // Built column by column, so that the order is the schema's and nothing else is included.
  const columns = fields.map((field, i) => ({
    field,
    prefix: `${i === 0 ? '{' : ','}${JSON.stringify(field.name)}:`,
  }));
  return {
    line(row) {
      let text = '';
      for (const { field, prefix } of columns) text += prefix + jsonText(cellOf(row, field));
      return `${text}}\n`;
    },
  };
}

/**
 * Lines as columns of text. The last column, `extra`, is cut out of the line, which ends with it: if it were read as JSON,
 * its text would be written in another form, and -0 would become 0. No text before it can hold `,"extra":`, since quotes
 * inside of texts are escaped.
 */
function linesInDuckdb(paths: string, columns: readonly string[]): string {
  const last = columns.at(-1) ?? '';
  const texts = JSON.stringify(Object.fromEntries(columns.slice(0, -1).map((name) => [name, 'VARCHAR'])));
  const mark = `,"${last}":`;
  const line = 'CAST(json AS VARCHAR)';
  const rest = `left(substr(${line}, strpos(${line}, '${mark}') + ${mark.length}), -1)`;
  return `(SELECT unnest(from_json(json, '${texts}')), nullif(${rest}, 'null') AS "${last}" FROM read_ndjson_objects(${paths}, hive_partitioning = false, maximum_object_size = ${MAX_ROW_BYTES}))`;
}
