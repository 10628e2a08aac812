import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { createSink } from '../../src/index.js';
import { venv } from '../python/venv.js';
import { take, temporaryFolder } from '../snapshot/tree.js';
import { claudeCompliance } from './command.js';
import { users } from './duckdb-file.js';
import { servedRows, sorted, type TextRow } from './served.js';

const run = promisify(execFile);
const RUN_DATE = '2026-11-23';
const LOCATIONS: Record<string, string> = {
  snowflake: '@stage/prefix',
  bigquery: 'gs://bucket/prefix',
  databricks: 's3://bucket/prefix',
  redshift: 's3://bucket/prefix',
  athena: 's3://bucket/prefix',
  clickhouse: 's3://bucket/prefix',
  spark: 's3://bucket/prefix',
};

let awkward: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;

beforeAll(async () => {
  awkward = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
  folder = await temporaryFolder();
  root = join(folder.path, 'root');
  await take(awkward, root, { sink: createSink('parquet') });
});

afterAll(async () => {
  await awkward.close();
  await folder[Symbol.asyncDispose]();
});

/** Writes the script of a dialect. @returns its path */
async function script(dialect: string, location = LOCATIONS[dialect] ?? ''): Promise<string> {
  const path = join(folder.path, `${dialect}.sql`);
  const flags = ['--from', root, '--dialect', dialect, '--location', location, '--script', path];
  expect(await claudeCompliance(['load', 'sql', ...flags])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  return path;
}

/** Runs Python with packages of its own; undefined, and said so, where they could not be had. */
async function python(
  name: string,
  requirements: readonly string[],
  args: readonly string[],
): Promise<string | undefined> {
  const made = await venv(name, requirements);
  if ('missing' in made) {
    process.stdout.write(`\nnot run: ${made.missing}\n`);
    return undefined;
  }
  return (await run(made.python, [...args], { maxBuffer: 256 * 1024 * 1024 })).stdout;
}

const here = (name: string): string => join(import.meta.dirname, name);

describe('the scripts are SQL by a grammar of their dialect:', () => {
  it('sqlglot parses every statement of all but BigQuery, and takes none as a text it does not know', async () => {
    const names = Object.keys(LOCATIONS).filter((name) => name !== 'bigquery');
    const args: string[] = [];
    for (const name of names) args.push(`${name}=${await script(name)}`);
    const output = await python('sqlglot', ['sqlglot==30.30.0'], [here('parse.py'), ...args]);
    if (output === undefined) return;
    const parsed = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { dialect: string; kind: string });
    expect(new Set(parsed.map(({ dialect }) => dialect))).toEqual(new Set(names));
    expect(parsed.filter(({ kind }) => kind === 'Command')).toEqual([]);
    expect(parsed.length).toBeGreaterThan(100);
  });

  it('sqlfluff parses BigQuery, LOAD DATA and ASSERT too, which sqlglot does not know', async () => {
    const path = await script('bigquery');
    const args = ['-m', 'sqlfluff', 'parse', '--dialect', 'bigquery', '--format', 'json', path];
    const output = await python('sqlfluff', ['sqlfluff==4.5.0'], args);
    if (output === undefined) return;
    expect(output).not.toContain('unparsable');
    for (const kind of ['load_data_statement', 'assert_statement', 'transaction_statement']) {
      expect(output).toContain(`"${kind}"`);
    }
  });
});

describe('the scripts run:', () => {
  it('ClickHouse lands the rows, again the same, and refuses years that it would store wrong', async () => {
    const path = await script('clickhouse', root);
    const text = await readFile(path, 'utf8');
    const within = text
      .split(';\n')
      .filter((statement) => !statement.includes('toYear'))
      .join(';\n');
    await writeFile(join(folder.path, 'within.sql'), within);
    const select = `SELECT organization_uuid, id, full_name, email, organization_role, toString(toUnixTimestamp64Micro(created_at)) AS created_at, toString(snapshot_date) AS snapshot_date, extra FROM claude_compliance.users_current`;
    await writeFile(join(folder.path, 'select.sql'), select);
    const [once, again, last] = ['within.sql', 'within.sql', 'select.sql'].map((name) =>
      join(folder.path, name),
    );
    const requirements = ['chdb==4.4.0'];
    const runner = here('run-clickhouse.py');
    const data = join(folder.path, 'clickhouse');
    const output = await python('clickhouse', requirements, [runner, data, once, again, last] as string[]);
    if (output === undefined) return;
    const rows = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TextRow);
    expect(sorted(rows)).toEqual(sorted(servedRows(awkward, users, RUN_DATE)));

    const refused = python('clickhouse', requirements, [runner, join(folder.path, 'other'), path]);
    await expect(refused).rejects.toThrow('out of the years that DateTime64 holds');
  });

  it('Spark lands the rows, and again the same', async () => {
    const path = await script('spark', root);
    const select = join(folder.path, 'spark-select.sql');
    await writeFile(
      select,
      `SELECT organization_uuid, id, full_name, email, organization_role, CAST(unix_micros(created_at) AS STRING) AS created_at, CAST(snapshot_date AS STRING) AS snapshot_date, to_json(extra) AS extra FROM claude_compliance.users_current`,
    );
    const data = join(folder.path, 'spark');
    await mkdir(data);
    const output = await python(
      'spark',
      ['pyspark==4.3.0'],
      [here('run-spark.py'), data, path, path, select],
    );
    if (output === undefined) return;
    const rows = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TextRow);
    const landed = sorted(rows).map(parsed);
    expect(landed).toEqual(sorted(servedRows(awkward, users, RUN_DATE)).map(parsed));
  });
});

/** A VARIANT keeps the values of `extra`, and neither the order of names nor how a number was written. */
const parsed = ({ extra, ...row }: TextRow) => ({
  ...row,
  extra: typeof extra === 'string' ? JSON.parse(extra.replaceAll(/-0(?=[,}\]])/g, '0')) : null,
});
