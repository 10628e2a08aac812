import type { ColumnBatch } from '../model/batch.js';
import { EXTRA, type Field } from '../model/schema.js';
import { chooseCompression, compressText, TEXT_COMPRESSIONS } from './compression.js';
import { decodeLines } from './decode-lines.js';
import { inspectLines } from './inspect.js';
import { jsonColumns } from './json-rows.js';
import { encodeLines } from './lines.js';
import { MAX_ROW_BYTES, type SinkFormat } from './sink.js';
import { lineEnds } from './text-block.js';
import { textRegrouping } from './text-regrouping.js';

/** One JSON object a line, with every column, nulls too; `extra` is nested and timestamps are as served. */
export const ndjson: SinkFormat = {
  name: 'ndjson',
  summary: 'One JSON object a line; `extra` nested, timestamps as served.',
  compressions: TEXT_COMPRESSIONS,
  isText: true,
  duckdb: { isTyped: false, from: linesInDuckdb },
  decode: decodeLines,
  inspect: inspectLines,
  create(options = {}) {
    const compression = chooseCompression('ndjson', TEXT_COMPRESSIONS, options.compression);
    return {
      format: 'ndjson',
      extension: compression === 'gzip' ? 'ndjson.gz' : 'ndjson',
      options: { compression },
      encode: (schema, batches) => compressText(encodeLines(schema, { columns }, batches), compression),
      regroup: textRegrouping({ rowEnds: lineEnds, compression }),
    };
  },
};

const columns = (batch: ColumnBatch) => jsonColumns(batch, '\n');

/**
 * Lines as columns of text. `extra`, the last column, is cut out of the line, which ends with it: if it were read as JSON, its
 * text would be written in another form, and -0 would become 0. It follows the mark `,"extra":`, which no text before it can
 * hold, since quotes inside of texts are escaped; another JSON column can, as the name of a member, so the marks in those are
 * counted. Those columns are written by DuckDB: their JSON values are equal, their texts need not be.
 */
function linesInDuckdb(paths: string, columns: readonly Pick<Field, 'name' | 'type'>[]): string {
  const hasExtra = columns.at(-1)?.name === EXTRA.name;
  const read = hasExtra ? columns.slice(0, -1) : columns;
  const types = read.map(({ name, type }) => [name, type === 'json' ? 'JSON' : 'VARCHAR']);
  const selected = ['filename', `unnest(from_json(json, '${JSON.stringify(Object.fromEntries(types))}'))`];
  if (hasExtra) {
    const split = (text: string) => `string_split(CAST(${text} AS VARCHAR), ',"${EXTRA.name}":')`;
    const marks = read
      .filter(({ type }) => type === 'json')
      .map(({ name }) => ` + coalesce(len(${split(`json->'$."${name}"'`)}) - 1, 0)`);
    const rest = `array_to_string(${split('json')}[2${marks.join('')}:], ',"${EXTRA.name}":')`;
    selected.push(`nullif(left(${rest}, -1), 'null') AS "${EXTRA.name}"`);
  }
  return `(SELECT ${selected.join(', ')} FROM read_ndjson_objects(${paths}, hive_partitioning = false, maximum_object_size = ${MAX_ROW_BYTES}))`;
}
