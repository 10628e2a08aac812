import { resolve } from 'node:path';
import {
  ConfigError,
  isLocalLocation,
  type Manifest,
  type SinkFormat,
  type StreamSchema,
  sinkFormats,
} from '../../src/index.js';

interface ViewRequest {
  /** The folder or bucket that dump wrote to. */
  root: string;
  /** Of the newest snapshot: it says in which format the files are, and which columns they have. */
  manifest: Manifest;
  schema: StreamSchema;
}

/**
 * A view for DuckDB 1.3 or newer on the rows of one table, of all days that are complete. It reads the manifests each time it is
 * asked: a new day appears by itself, a day that is not complete never does, and when a file is missing, the query fails.
 * @throws ConfigError `format_not_loadable`
 */
export function duckdbView({ root, manifest, schema }: ViewRequest): string {
  const place = (isLocalLocation(root) ? resolve(root) : root).replace(/\/+$/, '');
  const { name, fields } = schema;
  const held = fields.filter((field) => manifest.tables[name]?.columns.includes(field.name));
  const { isTyped, from } = readingOf(manifest);
  const columns = held.map(({ name: column, type }) => {
    const isText = isTyped || (type !== 'date' && type !== 'boolean');
    return isText ? `"${column}"` : `CAST("${column}" AS ${type}) AS "${column}"`;
  });
  const files = text(`${pattern(place)}/${name}/**/part-*`);
  const paths = ['files', 'slices[*].files'].map((list) => `manifest ->> '$.tables.${name}.${list}[*].path'`);
  return `CREATE OR REPLACE VIEW ${name} AS
WITH manifests AS (
  SELECT content::JSON AS manifest FROM read_text(${text(`${pattern(place)}/_runs/*/manifest.json`)})
), named AS (
  SELECT ${text(`${place}/`)} || unnest(list_concat(${paths.join(', ')})) AS file
  FROM manifests WHERE manifest ->> 'status' = 'complete'
), missing AS (
  SELECT file FROM named WHERE file NOT IN (SELECT file FROM glob(${files}))
)
SELECT ${columns.join(', ')}
FROM ${from(files, held)}
WHERE filename IN (FROM named) AND CASE WHEN EXISTS (FROM missing)
  THEN error('A file that a manifest names is missing: ' || (SELECT min(file) FROM missing)) ELSE true END;`;
}

function readingOf({ format }: Manifest): NonNullable<SinkFormat['duckdb']> {
  const duckdb = sinkFormats.find(({ name }) => name === format)?.duckdb;
  if (duckdb) return duckdb;
  throw new ConfigError(`The root is in the format ${format}, which DuckDB does not read.`, {
    code: 'format_not_loadable',
  });
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** DuckDB reads a path as a pattern: what would be one is put into brackets, where it means itself. */
const pattern = (path: string): string => path.replaceAll(/[*?[]/g, '[$&]');
