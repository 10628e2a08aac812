import type { StreamSchema } from '../schema.js';
import { cellOf } from './cell.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { inspectLines } from './inspect.js';
import { jsonText } from './json-text.js';
import { encodeLines, type Lines } from './lines.js';
import type { SinkFormat } from './sink.js';
import { lineEnds } from './text-block.js';
import { textRegrouping } from './text-regrouping.js';

/** One JSON object a line, with every column, nulls too; `extra` is nested and timestamps stand as served. */
export const ndjson: SinkFormat = {
  name: 'ndjson',
  format: 'ndjson',
  summary: 'One JSON object a line; `extra` nested, timestamps as served.',
  compressions: TEXT_COMPRESSIONS,
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
  // Built column by column, so that the order is the schema's and nothing else comes along.
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
