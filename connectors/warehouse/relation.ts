import { ConfigError, type Manifest } from '../../src/index.js';
import { duckdbDialect } from './duckdb-dialect.js';
import type { LocalFile } from './local-files.js';
import type { SnapshotTable } from './model.js';

const { name, value } = duckdbDialect.quoting;

interface RelationRequest {
  manifest: Manifest;
  table: SnapshotTable;
  files: readonly LocalFile[];
}

/**
 * The rows of one table's files as a DuckDB query, with the columns and types of the model, whatever the format.
 * @throws ConfigError `format_not_loadable`, `csv_formula_guarded`
 */
export function relation({ manifest, table, files }: RelationRequest): string {
  const read = READERS[manifest.format];
  if (!read) {
    throw new ConfigError(
      `The snapshot of ${manifest.run_date} is in the format ${manifest.format}, which DuckDB does not read. Load one in ${Object.keys(READERS).join(', ')}.`,
      { code: 'format_not_loadable' },
    );
  }
  if (manifest.format === 'csv' && manifest.configuration.csvFormulaGuard === true) {
    throw new ConfigError(
      `The snapshot of ${manifest.run_date} was written with --csv-formula-guard, which changes cells. Load one that was written without.`,
      { code: 'csv_formula_guarded' },
    );
  }
  const paths = files.filter((file) => file.table === table.stream).map(({ path }) => path);
  return paths.length === 0 ? empty(table) : read(table, pathList(paths));
}

const READERS: Record<string, (table: SnapshotTable, paths: string) => string> = {
  parquet: (table, paths) => typed(table, `read_parquet(${paths}, hive_partitioning = false)`),
  ndjson: (table, paths) => served(table, lines(table, paths)),
  csv: (table, paths) =>
    served(
      table,
      // In parallel, DuckDB guesses where a row begins inside quoted line ends: one thread reads it right.
      `read_csv(${paths}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', new_line = '\\r\\n', nullstr = '', allow_quoted_nulls = false, hive_partitioning = false, parallel = false, max_line_size = ${MAX_ROW_BYTES}, columns = ${textColumns(table)})`,
    ),
};

/** No row is larger than a page of the API may be. */
const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** From files with true types: only the names of the types differ. */
function typed(table: SnapshotTable, reader: string): string {
  const columns = table.columns.map(
    (column) => `CAST(${name(column.name)} AS ${duckdbDialect.types[column.type]}) AS ${name(column.name)}`,
  );
  return `SELECT ${columns.join(', ')} FROM ${reader}`;
}

/**
 * From text, where a timestamp stands as served: made into what the typed formats hold, which is the instant cut to
 * the microsecond, and in `extra` the text as served where that is not the whole of it.
 */
function served(table: SnapshotTable, reader: string): string {
  const timestamps = table.columns.filter(({ type }) => type === 'timestamp').map((column) => column.name);
  const columns = table.columns.map(({ name: column, type }) => {
    const text = name(column);
    if (type === 'timestamp') return `${instant(text)} AS ${text}`;
    if (type === 'json')
      return `${timestamps.reduce(withInexact, `CAST(${text} AS VARCHAR)`)}::JSON AS ${text}`;
    return `CAST(${text} AS ${duckdbDialect.types[type]}) AS ${text}`;
  });
  return `SELECT ${columns.join(', ')} FROM ${reader}`;
}

/** RFC 3339, as strict as the sinks are; days that do not exist and the second 60 are left to the cast. */
const RFC_3339 =
  '\\d{4}-\\d\\d-\\d\\d[Tt]([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)';

const instant = (text: string): string =>
  `CASE WHEN regexp_full_match(${text}, '${RFC_3339}') THEN TRY_CAST(regexp_replace(upper(${text}), '(\\.\\d{6})\\d+', '\\1') AS TIMESTAMPTZ) END`;

/** `extra` with the text of a timestamp that its column does not hold whole. */
function withInexact(extra: string, column: string): string {
  const text = name(column);
  const isInexact = `${text} IS NOT NULL AND (${instant(text)} IS NULL OR regexp_matches(${text}, '\\.\\d{6}\\d*[1-9]'))`;
  const member = `${value(`${JSON.stringify(column)}:`)} || CAST(to_json(${text}) AS VARCHAR) || '}'`;
  return `CASE WHEN ${isInexact} THEN coalesce(left(${extra}, -1) || ',', '{') || ${member} ELSE ${extra} END`;
}

function empty({ columns }: SnapshotTable): string {
  const nulls = columns.map(
    (column) => `CAST(NULL AS ${duckdbDialect.types[column.type]}) AS ${name(column.name)}`,
  );
  return `SELECT ${nulls.join(', ')} WHERE false`;
}

const textColumns = ({ columns }: SnapshotTable): string =>
  `{${columns.map((column) => `${name(column.name)}: 'VARCHAR'`).join(', ')}}`;

/**
 * NDJSON as columns of text. `extra` is cut out of the line, which ends with it: read as JSON it would be written anew,
 * and -0 become 0. No text before it can hold `,"extra":`, since quotes inside of texts are escaped.
 */
function lines({ columns }: SnapshotTable, paths: string): string {
  const texts = Object.fromEntries(columns.slice(0, -1).map((column) => [column.name, 'VARCHAR']));
  const last = columns.at(-1)?.name ?? '';
  const mark = `,${JSON.stringify(last)}:`;
  const line = 'CAST(json AS VARCHAR)';
  const rest = `left(substr(${line}, strpos(${line}, ${value(mark)}) + ${mark.length}), -1)`;
  return `(SELECT unnest(from_json(json, ${value(JSON.stringify(texts))})), nullif(${rest}, 'null') AS ${name(last)} FROM read_ndjson_objects(${paths}, hive_partitioning = false, maximum_object_size = ${MAX_ROW_BYTES}))`;
}

/** DuckDB reads a path as a pattern: what would be one stands for itself in brackets. */
const pathList = (paths: readonly string[]): string =>
  `[${paths.map((path) => value(path.replaceAll(/[*?[]/g, '[$&]'))).join(', ')}]`;
