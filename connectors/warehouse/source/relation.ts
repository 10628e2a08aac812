import { ConfigError, type Manifest, type SinkFormat, sinkFormats } from '../../../src/index.js';
import { dataName, flagName } from '../../kit/options.js';
import { duckdbDialect } from '../duckdb/dialect.js';
import type { Column, SnapshotTable } from '../model.js';
import type { LocalFile } from './local-files.js';

const { name, value } = duckdbDialect.quoting;

interface RelationRequest {
  manifest: Manifest;
  table: SnapshotTable;
  files: readonly LocalFile[];
}

/**
 * The rows of one table's files as a DuckDB query, with the columns and types of the model, whatever the format.
 * @throws ConfigError `format_not_loadable`, `format_lossy`
 */
export function relation({ manifest, table, files }: RelationRequest): string {
  const reading = readingOf(manifest);
  const held = manifest.tables[table.stream]?.columns ?? [];
  const paths = files.filter((file) => file.table === table.stream).map(({ path }) => path);
  if (paths.length === 0) return `SELECT ${table.columns.map(missing).join(', ')} WHERE false`;
  const cell = reading.isTyped ? typed : served(table, held);
  const columns = table.columns.map((column) =>
    held.includes(column.name) ? cell(column) : missing(column),
  );
  const inFiles = held.flatMap((name) => table.columns.find((column) => column.name === name) ?? []);
  return `SELECT ${columns.join(', ')} FROM ${reading.from(pathList(paths), inFiles)}`;
}

/** How DuckDB reads the files of a snapshot. */
function readingOf({ format, run_date, configuration }: Manifest): NonNullable<SinkFormat['duckdb']> {
  const known = sinkFormats.find(({ name }) => name === format);
  if (!known?.duckdb) {
    const loadable = sinkFormats.filter(({ duckdb }) => duckdb).map(({ name }) => name);
    throw new ConfigError(
      `The snapshot of ${run_date} is in the format ${format}, which DuckDB does not read. Load one in ${loadable.join(', ')}.`,
      { code: 'format_not_loadable' },
    );
  }
  const { duckdb, lossyOption } = known;
  if (lossyOption && configuration[dataName(lossyOption)] === true) {
    throw new ConfigError(
      `The snapshot of ${run_date} was written with --${flagName(lossyOption)}, which changes values. Load one that was written without.`,
      { code: 'format_lossy' },
    );
  }
  return duckdb;
}

/** A column that the files of an older version do not have. */
const missing = ({ name: column, type }: Column): string =>
  `CAST(NULL AS ${duckdbDialect.types[type]}) AS ${name(column)}`;

/** From files with true types: only the names of the types differ. */
const typed = ({ name: column, type }: Column): string =>
  `CAST(${name(column)} AS ${duckdbDialect.types[type]}) AS ${name(column)}`;

/**
 * From text, where timestamps are as served: made into what the typed formats hold, which is the instant cut to the
 * microsecond, and in `extra` the text as served where the instant is not all of it.
 */
function served(
  { columns, extraColumn }: SnapshotTable,
  held: readonly string[],
): (column: Column) => string {
  const timestamps = columns.filter((column) => column.type === 'timestamp' && held.includes(column.name));
  return (column) => {
    const text = name(column.name);
    if (column.type === 'timestamp') return `${instant(text)} AS ${text}`;
    if (column.name !== extraColumn) return typed(column);
    return `${timestamps.reduce(withInexact, `CAST(${text} AS VARCHAR)`)}::JSON AS ${text}`;
  };
}

const OFFSET = '([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)';
/** RFC 3339, as strict as the sinks are; days that do not exist and the second 60 are left to the cast. */
const RFC_3339 = `\\d{4}-\\d\\d-\\d\\d[Tt]([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?${OFFSET}?`;

/** Without an offset it is UTC, the time zone of the session. */
const instant = (text: string): string =>
  `CASE WHEN regexp_full_match(${text}, '${RFC_3339}') THEN TRY_CAST(regexp_replace(upper(${text}), '(\\.\\d{6})\\d+', '\\1') AS TIMESTAMPTZ) END`;

/** `extra` with the text of a timestamp whose column does not say all of it. */
function withInexact(extra: string, { name: column }: Column): string {
  const text = name(column);
  const isExact = `${instant(text)} IS NOT NULL AND regexp_matches(${text}, '${OFFSET}$') AND NOT regexp_matches(${text}, '\\.\\d{6}\\d*[1-9]')`;
  const member = `${value(`${JSON.stringify(column)}:`)} || CAST(to_json(${text}) AS VARCHAR) || '}'`;
  return `CASE WHEN ${text} IS NULL OR (${isExact}) THEN ${extra} ELSE coalesce(left(${extra}, -1) || ',', '{') || ${member} END`;
}

/** DuckDB reads a path as a pattern: what would be one is put into brackets, where it means itself. */
const pathList = (paths: readonly string[]): string =>
  `[${paths.map((path) => value(path.replaceAll(/[*?[]/g, '[$&]'))).join(', ')}]`;
