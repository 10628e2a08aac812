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
import { takeLaidOut } from './laid-out.js';
import { servedRows, sorted, type TextRow } from './served.js';

const run = promisify(execFile);
const RUN_DATE = '2026-11-23';
/** What the tables of the two roots are called. */
const SCHEMA = 'claude_compliance';
const COMPACTED = 'compacted';
const REQUIREMENTS = { clickhouse: ['chdb==4.4.0'], spark: ['pyspark==4.3.0'] };
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
/** The same, its users in one file. */
let compacted: string;

beforeAll(async () => {
  awkward = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
  folder = await temporaryFolder();
  root = join(folder.path, 'root');
  compacted = join(folder.path, 'compacted');
  const sink = createSink('parquet');
  await take(awkward, root, { sink });
  await takeLaidOut(awkward, compacted, { layout: 'compacted', sink });
});

afterAll(async () => {
  await awkward.close();
  await folder[Symbol.asyncDispose]();
});

/** Writes the script of a dialect for a root, as it is named elsewhere or as it lies here. @returns its path */
async function script(
  dialect: string,
  location = LOCATIONS[dialect] ?? '',
  schema = SCHEMA,
): Promise<string> {
  const path = join(folder.path, `${dialect}-${schema}.sql`);
  const from = location === compacted ? compacted : root;
  const settings = { from, dialect, location, schema, script: path };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
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
  /** Runs scripts, the first of them again, then a query on the current users of both roots. @returns each root's */
  async function land(
    name: 'clickhouse' | 'spark',
    scripts: readonly string[],
    columns: string,
  ): Promise<Record<string, TextRow[]> | undefined> {
    const [data, select] = [join(folder.path, name), join(folder.path, `${name}-select.sql`)];
    await mkdir(data);
    const queries = [SCHEMA, COMPACTED].map(
      (schema) => `SELECT '${schema}' AS root, ${columns} FROM ${schema}.users_current`,
    );
    await writeFile(select, queries.join(' UNION ALL '));
    const args = [here(`run-${name}.py`), data, ...scripts, scripts[0] ?? '', select];
    const output = await python(name, REQUIREMENTS[name], args);
    if (output === undefined) return undefined;
    const landed: Record<string, TextRow[]> = { [SCHEMA]: [], [COMPACTED]: [] };
    for (const line of output.trim().split('\n')) {
      const { root, ...row } = JSON.parse(line) as TextRow;
      landed[String(root)]?.push(row);
    }
    return landed;
  }

  it('ClickHouse lands the rows, again the same, and refuses years that it would store wrong', async () => {
    const path = await script('clickhouse', root);
    const scripts = [path, await script('clickhouse', compacted, COMPACTED)];
    const within = await Promise.all(
      scripts.map(async (path) => {
        const statements = (await readFile(path, 'utf8')).split(';\n');
        await writeFile(
          `${path}.within`,
          statements.filter((statement) => !statement.includes('toYear')).join(';\n'),
        );
        return `${path}.within`;
      }),
    );
    const landed = await land(
      'clickhouse',
      within,
      'organization_uuid, id, full_name, email, organization_role, toString(toUnixTimestamp64Micro(created_at)) AS created_at, toString(snapshot_date) AS snapshot_date, extra',
    );
    if (landed === undefined) return;
    for (const rows of Object.values(landed))
      expect(sorted(rows)).toEqual(sorted(servedRows(awkward, users, RUN_DATE)));

    const refused = python('clickhouse', REQUIREMENTS.clickhouse, [
      here('run-clickhouse.py'),
      join(folder.path, 'other'),
      path,
    ]);
    await expect(refused).rejects.toThrow('out of the years that DateTime64 holds');
  });

  it('Spark lands the rows, and again the same', async () => {
    const scripts = [await script('spark', root), await script('spark', compacted, COMPACTED)];
    const landed = await land(
      'spark',
      scripts,
      'organization_uuid, id, full_name, email, organization_role, CAST(unix_micros(created_at) AS STRING) AS created_at, CAST(snapshot_date AS STRING) AS snapshot_date, to_json(extra) AS extra',
    );
    if (landed === undefined) return;
    for (const rows of Object.values(landed))
      expect(sorted(rows).map(parsed)).toEqual(sorted(servedRows(awkward, users, RUN_DATE)).map(parsed));
  });
});

/** A VARIANT keeps the values of `extra`, and neither the order of names nor how a number was written. */
const parsed = ({ extra, ...row }: TextRow) => ({
  ...row,
  extra: typeof extra === 'string' ? JSON.parse(extra.replaceAll(/-0(?=[,}\]])/g, '0')) : null,
});
