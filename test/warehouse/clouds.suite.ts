import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SnapshotTable, snapshotTables } from '../../connectors/warehouse/model.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, effectiveAccessSchema, streams } from '../../src/index.js';
import { rowTexts } from '../access/support/reference.js';
import { venv } from '../python/venv.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { accessIn, startPartlyUnread, takePartlyUnread } from './support/access.js';
import { claudeCompliance } from './support/command.js';
import { takeCombined } from './support/layouts.js';
import { olderUsers, takeOlder } from './support/older.js';
import { servedRows, sorted, type TextRow } from './support/served.js';

const run = promisify(execFile);
const RUN_DATE = '2026-11-23';
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
/** A root in each layout, one by an older version, and an incomplete one, each loaded into a schema of its name. */
const ROOTS = ['per_org', 'compacted', 'older', 'partly_unread'] as const;
type Root = (typeof ROOTS)[number];

let awkward: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

const rootOf = (root: Root): string => join(folder.path, root);

beforeAll(async () => {
  awkward = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
  folder = await temporaryFolder();
  const options = { sink: createSink('parquet'), streams: streams.map(({ name }) => name) };
  await take(awkward, rootOf('per_org'), options);
  await takeCombined(awkward, rootOf('compacted'), { layout: 'compacted', ...options });
  await takeOlder(awkward, rootOf('older'), 'parquet');
  await using partlyUnread = await startPartlyUnread();
  const manifest = await takePartlyUnread(partlyUnread, rootOf('partly_unread'), options);
  expect(manifest.totals).toMatchObject({ failed: 4, unavailable: 1 });
});

afterAll(async () => {
  await awkward.close();
  await folder[Symbol.asyncDispose]();
});

interface ScriptOptions {
  root?: Root;
  /** Default: where the root is on this disk. */
  location?: string | undefined;
}

/** Writes the script of a dialect for a root. @returns its path */
async function script(dialect: string, { root = 'per_org', location }: ScriptOptions = {}): Promise<string> {
  const path = join(folder.path, `${dialect}-${root}.sql`);
  const from = rootOf(root);
  const settings = { from, dialect, location: location ?? from, schema: root, script: path };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  flags.push('--run-date', RUN_DATE, '--allow-incomplete');
  expect(await claudeCompliance(['load', 'sql', ...flags])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  return path;
}

/** What a warehouse must hold of a root. */
function expectedRows(root: Root, table: SnapshotTable): TextRow[] {
  if (root === 'older' && table.stream === 'users') return olderUsers(awkward, RUN_DATE);
  const isLeftOut = root === 'partly_unread' || (root === 'older' && table.stream !== 'organizations');
  return isLeftOut ? [] : servedRows(awkward, table, RUN_DATE);
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

const here = (name: string): string => join(import.meta.dirname, 'support', name);

describe('the scripts are SQL by a grammar of their dialect:', () => {
  it('sqlglot parses every statement of all but BigQuery, and knows every one of them', async () => {
    const names = Object.keys(LOCATIONS).filter((name) => name !== 'bigquery');
    const args: string[] = [];
    for (const name of names) {
      const location = LOCATIONS[name];
      args.push(`${name}=${await script(name, { location })}`);
      for (const root of ['older', 'partly_unread'] as const)
        args.push(`${name}=${await script(name, { location, root })}`);
    }
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
    const path = await script('bigquery', { location: LOCATIONS.bigquery });
    const config = join(folder.path, 'sqlfluff.cfg');
    await writeFile(config, '[sqlfluff]\nlarge_file_skip_byte_limit = 0\n');
    const flags = ['--dialect', 'bigquery', '--format', 'json', '--config', config];
    const args = ['-m', 'sqlfluff', 'parse', ...flags, path];
    const output = await python('sqlfluff', ['sqlfluff==4.5.0'], args);
    if (output === undefined) return;
    expect(output).not.toContain('unparsable');
    for (const kind of ['load_data_statement', 'assert_statement', 'transaction_statement']) {
      expect(output).toContain(`"${kind}"`);
    }
  });
});

/** How an engine gives a column as text. */
type AsText = (name: string) => string;

describe('the scripts run:', () => {
  /** Runs the scripts of every root, the first of them again, then reads every view. @returns rows by `root stream` */
  async function land(
    name: 'clickhouse' | 'spark',
    scripts: readonly string[],
    asText: Record<'timestamp' | 'date' | 'boolean', AsText> & Partial<Record<string, AsText>>,
  ): Promise<Record<string, TextRow[]> | undefined> {
    const [data, select] = [join(folder.path, name), join(folder.path, `${name}-select.sql`)];
    await mkdir(data);
    const queries = ROOTS.flatMap((root) =>
      snapshotTables.map(({ columns, currentView, stream }) => {
        const texts = columns.map(
          ({ name: column, type }) => `${asText[type]?.(column) ?? column} AS ${column}`,
        );
        return `SELECT '${root} ${stream}' AS place, ${texts.join(', ')} FROM ${root}.${currentView}`;
      }),
    );
    const access = effectiveAccessSchema.fields.map(({ name: column, type }) =>
      type === 'date' ? `${asText.date(column)} AS ${column}` : column,
    );
    for (const view of ['effective_access', 'effective_access_current'])
      queries.push(
        ...ROOTS.map(
          (root) => `SELECT '${root} ${view}' AS place, ${access.join(', ')} FROM ${root}.${view}`,
        ),
      );
    await writeFile(select, queries.join(';\n'));
    const args = [here(`run-${name}.py`), data, ...scripts, scripts[0] ?? '', select];
    const output = await python(name, REQUIREMENTS[name], args);
    if (output === undefined) return undefined;
    const landed: Record<string, TextRow[]> = {};
    for (const line of output.trim().split('\n')) {
      const { place, ...row } = JSON.parse(line) as TextRow;
      landed[String(place)] = [...(landed[String(place)] ?? []), row];
    }
    return landed;
  }

  /** The views on who may do what say what the library says. */
  async function expectAccess(landed: Record<string, TextRow[]>): Promise<void> {
    for (const root of ROOTS) {
      const expected = rowTexts(await accessIn(rootOf(root), RUN_DATE));
      expect(expected.length).toBeGreaterThan(0);
      for (const view of ['effective_access', 'effective_access_current'])
        expect(rowTexts(landed[`${root} ${view}`] ?? [])).toEqual(expected);
    }
  }

  const everyPlace = ROOTS.flatMap((root) => snapshotTables.map((table) => ({ root, table })));

  it('ClickHouse lands every row, again the same, and refuses years that it would store wrong', async () => {
    const paths: string[] = [];
    for (const root of ROOTS) paths.push(await script('clickhouse', { root }));
    // The awkward rows have such years: without the check everything else is compared.
    const unchecked = await Promise.all(
      paths.map(async (path) => {
        const statements = (await readFile(path, 'utf8')).split(';\n');
        await writeFile(
          `${path}.unchecked`,
          statements.filter((statement) => !statement.includes('toYear')).join(';\n'),
        );
        return `${path}.unchecked`;
      }),
    );
    const landed = await land('clickhouse', unchecked, {
      timestamp: (name) => `toString(toUnixTimestamp64Micro(${name}))`,
      date: (name) => `toString(${name})`,
      boolean: (name) => `toString(${name})`,
    });
    if (landed === undefined) return;
    await expectAccess(landed);
    for (const { root, table } of everyPlace)
      expect(sorted(landed[`${root} ${table.stream}`] ?? [])).toEqual(sorted(expectedRows(root, table)));

    const refused = python('clickhouse', REQUIREMENTS.clickhouse, [
      here('run-clickhouse.py'),
      join(folder.path, 'other'),
      ...paths.slice(0, 1),
    ]);
    await expect(refused).rejects.toThrow('out of the years that DateTime64 holds');
  });

  it('Spark lands every row, and again the same', async () => {
    const scripts: string[] = [];
    for (const root of ROOTS) scripts.push(await script('spark', { root }));
    const landed = await land('spark', scripts, {
      timestamp: (name) => `CAST(unix_micros(${name}) AS STRING)`,
      date: (name) => `CAST(${name} AS STRING)`,
      boolean: (name) => `CAST(${name} AS STRING)`,
      json: (name) => `to_json(${name})`,
    });
    if (landed === undefined) return;
    await expectAccess(landed);
    for (const { root, table } of everyPlace) {
      const rows = (landed[`${root} ${table.stream}`] ?? []).map((row) => parsed(row, table));
      expect(sorted(rows)).toEqual(sorted(expectedRows(root, table).map((row) => parsed(row, table))));
    }
  });
});

/** A VARIANT keeps the values of JSON, and neither the order of names nor how a number was written. */
function parsed(row: TextRow, { columns }: SnapshotTable): TextRow {
  const json = columns.filter(({ name, type }) => type === 'json' && typeof row[name] === 'string');
  const texts = json.map(({ name }) => [name, inOrder(JSON.parse(String(row[name])))]);
  return { ...row, ...Object.fromEntries(texts) };
}

/** JSON text with the names of every object in order. */
const inOrder = (json: unknown): string =>
  JSON.stringify(json, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort())
      : value,
  );
