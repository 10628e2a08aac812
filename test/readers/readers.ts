import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Field } from '../../src/index.js';
import { SPARK_ENVIRONMENT, spark } from '../python/spark.js';
import { venv } from '../python/venv.js';
import { FORMATS } from './trees.js';

const run = promisify(execFile);

const [frames, clickhouse, onSpark] = await Promise.all([
  venv('frames', ['pandas==3.1.1', 'pyarrow==26.0.1', 'polars==2.1.0', 'numpy==2.4.6']),
  venv('clickhouse', ['chdb==4.4.0']),
  spark(),
]);
/** The last two are what the warehouse's suite makes, too. */
const environments = { frames, clickhouse, spark: onSpark };

export type ReadRow = Record<string, string | null>;
/** With `extra` parsed: each reader spells JSON in its own way. */
export type ParsedRow = Record<string, unknown>;

/** A program that reads trees, by the script `read_<name>.py`. */
export interface Reader {
  name: string;
  environment: keyof typeof environments;
  /** What it reads. pyarrow takes no NDJSON whose `extra` differs from line to line, and Spark no Arrow. */
  formats: readonly string[];
  /** By format: what it makes of a row where it cannot distinguish two values. */
  sees?: Record<string, (row: ParsedRow) => ParsedRow>;
}

export const READERS: readonly Reader[] = [
  { name: 'pyarrow', environment: 'frames', formats: ['parquet', 'arrow', 'csv'] },
  {
    name: 'pandas',
    environment: 'frames',
    formats: FORMATS,
    sees: { csv: nullsAsEmptyTexts, ndjson: zerosWithoutSign },
  },
  { name: 'polars', environment: 'frames', formats: FORMATS, sees: { ndjson: withoutExtra } },
  { name: 'chdb', environment: 'clickhouse', formats: FORMATS },
  { name: 'spark', environment: 'spark', formats: ['parquet', 'csv', 'ndjson'] },
];

function nullsAsEmptyTexts(row: ParsedRow): ParsedRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? '']));
}

/** Python's JSON reads -0 as the integer 0. */
function zerosWithoutSign(row: ParsedRow): ParsedRow {
  return { ...row, extra: JSON.parse(JSON.stringify(row.extra)) };
}

/** Polars turns an object into a text that is no JSON when a name in it has quotes. */
function withoutExtra(row: ParsedRow): ParsedRow {
  return { ...row, extra: null };
}

/** Why a reader cannot be run here, if it cannot. */
export function missingFor({ environment }: Reader): string | undefined {
  const made = environments[environment];
  return 'missing' in made ? made.missing : undefined;
}

/** What a reader is asked, of every tree in one process. */
export interface Asked {
  /** Paths, by name. */
  trees: Record<string, string>;
  dates: readonly string[];
  /** The columns of each table. */
  fields: Record<string, readonly Field[]>;
  /** One that has users. */
  organization: string;
  /** Code, by tree and by name. */
  examples: Record<string, Record<string, string>>;
  /** The path of that tree. */
  spoiled: string;
}

export interface Table {
  tree: string;
  format: string;
  stream: string;
  run_date: string;
  rows: ReadRow[];
}

export interface Answers {
  tables: Table[];
  /** What each example printed. */
  examples: { tree: string; example: string; printed: string }[];
  /** The result of each way to read that the documentation warns of: a number of rows, or an error. */
  traps: { tree: string; trap: string; result: number | string }[];
}

/** Starts a reader, in a folder that it may write to. */
export async function ask({ name, environment }: Reader, asked: Asked, folder: string): Promise<Answers> {
  const made = environments[environment];
  if ('missing' in made) throw new Error(made.missing);
  const script = join(import.meta.dirname, `read_${name}.py`);
  const { stdout } = await run(made.python, [script, JSON.stringify(asked)], {
    cwd: folder,
    env: { ...process.env, ...SPARK_ENVIRONMENT, PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 512 * 1024 * 1024,
  });
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return {
    tables: answers.filter((answer) => 'rows' in answer),
    examples: answers.filter((answer) => 'example' in answer),
    traps: answers.filter((answer) => 'trap' in answer),
  };
}
