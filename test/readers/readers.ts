import type { StreamSchema } from '../../src/index.js';
import type { Answers, Asked } from './answers.js';
import { askDuckDb, DUCKDB_FORMATS } from './duckdb.js';
import { byScript } from './python.js';
import { FORMATS } from './trees.js';

/** A row with its JSON columns parsed: each reader spells JSON in its own way. */
export type ParsedRow = Record<string, unknown>;

/** A program that reads trees. */
export interface Reader {
  name: string;
  /** Why it cannot be run here, if it cannot. */
  missing?: string;
  /** In a folder that it may write to. */
  ask(asked: Asked, folder: string): Promise<Answers>;
  /** What it reads: neither DuckDB nor Spark has a reader of Arrow files. */
  formats: readonly string[];
  /** By format: what it makes of a row where it cannot distinguish two values. */
  sees?: Record<string, (row: ParsedRow, schema: StreamSchema) => ParsedRow>;
}

export const READERS: readonly Reader[] = [
  {
    name: 'duckdb',
    ask: askDuckDb,
    formats: DUCKDB_FORMATS,
    sees: { ndjson: zerosWithoutSign },
  },
  { ...byScript('pyarrow', 'frames'), formats: FORMATS, sees: { ndjson: withoutJson } },
  {
    ...byScript('pandas', 'frames'),
    formats: FORMATS,
    sees: { csv: nullsAsEmptyTexts, ndjson: zerosWithoutSign },
  },
  { ...byScript('polars', 'frames'), formats: FORMATS, sees: { ndjson: withoutJson } },
  { ...byScript('chdb', 'clickhouse'), formats: FORMATS, sees: { ndjson: zerosByAnyJson } },
  {
    ...byScript('spark', 'spark'),
    formats: FORMATS.filter((format) => format !== 'arrow'),
    sees: { ndjson: zerosByAnyJson },
  },
];

function nullsAsEmptyTexts(row: ParsedRow): ParsedRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? '']));
}

/** Python's JSON and DuckDB's read -0 as the integer 0. */
function zerosWithoutSign(row: ParsedRow): ParsedRow {
  return JSON.parse(JSON.stringify(row));
}

/** So does what ClickHouse and Spark read lines with whose JSON is of any type; of other lines they take it as text. */
function zerosByAnyJson(row: ParsedRow, { fields }: StreamSchema): ParsedRow {
  const hasAnyJson = fields.some(({ type, shape }) => type === 'json' && shape === undefined);
  return hasAnyJson ? zerosWithoutSign(row) : row;
}

/**
 * pyarrow takes no JSON that differs from line to line; Polars turns it into a text that is no JSON when a name in it has
 * quotes.
 */
function withoutJson(row: ParsedRow, { fields }: StreamSchema): ParsedRow {
  const names = fields.filter(({ type }) => type === 'json').map(({ name }) => name);
  return { ...row, ...Object.fromEntries(names.map((name) => [name, null])) };
}
