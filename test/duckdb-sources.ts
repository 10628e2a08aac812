import type { StreamSchema } from '../src/model/schema.js';

const LARGE = 64 << 20;
/** Else guessed from the first of several files: where that holds no quote, quotes in the others would be text. */
const QUOTES = `quote = '"', escape = '"'`;
const LINE_TYPES: Partial<Record<string, string>> = { json: 'JSON', boolean: 'BOOLEAN' };

/** By format: what DuckDB reads files from. The path may be a pattern; `more` are further options, each after a comma. */
export const DUCKDB_SOURCES = {
  parquet: (path: string, _schema: Pick<StreamSchema, 'fields'>, more = '') =>
    `read_parquet('${path}'${more})`,
  csv: (path: string, _schema: Pick<StreamSchema, 'fields'>, more = '') =>
    `read_csv('${path}', header = true, all_varchar = true, ${QUOTES}, allow_quoted_nulls = false, max_line_size = ${LARGE}${more})`,
  ndjson(path: string, { fields }: Pick<StreamSchema, 'fields'>, more = '') {
    const columns = fields.map(({ name, type }) => `${name}: '${LINE_TYPES[type] ?? 'VARCHAR'}'`);
    return `read_json('${path}', format = 'newline_delimited', columns = {${columns}}, maximum_object_size = ${LARGE}${more})`;
  },
};
