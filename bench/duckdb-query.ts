/** Asks a fresh DuckDB one question and prints what that took, without the start of the process: see `ask` below. */
import { join } from 'node:path';
import process from 'node:process';
import { DuckDBInstance } from '@duckdb/node-api';
import { measured } from './measured.js';

export interface Question {
  sql: string;
  /** Run before the clock starts: extensions, secrets. */
  before?: readonly string[];
}

export interface Answer {
  /** Wall time, ms. */
  elapsed: number;
  /** Of all threads, ms. */
  cpu: number;
  rows: unknown[][];
}

/** As many as DuckDB takes on a machine of two cores; fixed, so that machines can be compared. */
const THREADS = 2;

/** Asks in a process of its own. */
export async function ask(question: Question): Promise<Answer> {
  const script = join(import.meta.dirname, 'duckdb-query.ts');
  return JSON.parse((await measured(['--import', 'tsx', script, JSON.stringify(question)], {})).stdout);
}

async function answer({ sql, before = [] }: Question): Promise<Answer> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(THREADS) });
  const connection = await instance.connect();
  for (const statement of before) await connection.run(statement);
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  const rows = (await connection.runAndReadAll(sql)).getRowsJson();
  const { user, system } = process.cpuUsage(cpuBefore);
  return { elapsed: performance.now() - startedAt, cpu: (user + system) / 1000, rows };
}

const [, script, question] = process.argv;
if (script === import.meta.filename && question !== undefined)
  console.log(JSON.stringify(await answer(JSON.parse(question))));
