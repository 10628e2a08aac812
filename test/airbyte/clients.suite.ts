import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { parseTimestamp, roles, type Stream, users } from '../../src/index.js';
import { venv } from '../python/venv.js';
import { catalogOf, configFor, file, servedKeys } from './harness.js';
import { install } from './process.js';
import { REQUIREMENTS } from './requirements.js';

const SCRIPT = resolve(import.meta.dirname, 'clients.py');
const README = resolve(import.meta.dirname, '../../connectors/airbyte/README.md');

const environment = await venv('airbyte', REQUIREMENTS);
if ('missing' in environment) console.log(`not run: real Airbyte clients: ${environment.missing}`);
const python = 'python' in environment ? environment.python : '';
const executable = install();
const run = promisify(execFile);

async function runPython(args: readonly string[]): Promise<string> {
  const { stdout } = await run(python, args, {
    env: {
      PATH: `${dirname(executable)}:${dirname(python)}:${process.env.PATH}`,
      HOME: process.env.HOME,
      AIRBYTE_OFFLINE_MODE: '1',
      DO_NOT_TRACK: '1',
    },
    cwd: dirname(executable),
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout;
}

/** What a command of clients.py saw: the last line, since clients print on stdout too. */
async function ask<T>(command: string, ...args: string[]): Promise<T> {
  const stdout = await runPython([SCRIPT, command, executable, ...args]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

interface Seen {
  streams: string[];
  processed: number[];
  rows: Record<'organizations' | 'users' | 'roles', Row[]>;
}
type Row = Record<string, unknown>;

const STREAMS = ['organizations', 'users', 'roles'];
const countOf = (api: FixtureApi): number =>
  STREAMS.reduce((sum, name) => sum + servedKeys(api, name).size, 0);

describe.skipIf('missing' in environment)('under real clients', () => {
  let api: FixtureApi;
  let config: string;
  let catalog: string;
  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [700, 0, AWKWARD_ROUND, 1], awkward: true });
    config = file(configFor(api));
    catalog = file(await catalogOf(STREAMS));
  });
  afterAll(async () => await api?.close());

  it('PyAirbyte checks, discovers, and reads what was served, value for value, twice', async () => {
    const seen = await ask<Seen>('read', config);
    expect(seen.streams).toEqual([...STREAMS].sort());
    expect(seen.processed).toEqual([countOf(api), countOf(api)]);
    compare(api, users, seen.rows.users);
    compare(api, roles, seen.rows.roles);
    expect(seen.rows.organizations.map(({ uuid }) => uuid).sort()).toEqual(
      api
        .organizations()
        .map(({ uuid }) => uuid)
        .sort(),
    );
  });

  it('PyAirbyte reads all of it with force_full_refresh', async () => {
    const seen = await ask<Seen>('read', config, 'full', 'once');
    expect(seen.processed).toEqual([countOf(api)]);
    compare(api, users, seen.rows.users);
    compare(api, roles, seen.rows.roles);
  });

  it('PyAirbyte raises when the API goes away in the middle of a read', async () => {
    const dying = await startFixtureApi({ sizes: new Array(12).fill(20_000), latency: 30 });
    const raised = ask<{ raised: string | null }>('raises', file(configFor(dying)));
    const watch = setInterval(() => {
      if (dying.requests.length > 60) void dying.close();
    }, 20);
    try {
      expect(await raised).toEqual({ raised: expect.stringMatching(/^Airbyte/) });
    } finally {
      clearInterval(watch);
      await dying.close();
    }
  });

  it('PyAirbyte waits for an API that refuses a third of the requests for a while', async () => {
    await using slow = await startFixtureApi({ organizations: 15, users: 3_000 });
    slow.fault({
      match: { path: '/users', probability: 0.3, times: 8 },
      do: { type: 'answer', status: 429, headers: { 'retry-after': '0.3' } },
    });
    const seen = await ask<Seen>('read', file(configFor(slow)), 'once');
    expect(slow.requests.some(({ status }) => status === 429)).toBe(true);
    expect(new Set(seen.rows.users.map(rowKey))).toEqual(servedKeys(slow));
  });

  it('pyab validate accepts the executable', async () => {
    const yaml = join(dirname(executable), 'config.yaml');
    writeFileSync(yaml, readFileSync(config));
    const script = 'import sys; from airbyte.cli import pyab; sys.exit(pyab.cli())';
    const said = await runPython([
      ...['-c', script, 'validate', '--connector', executable, '--config', yaml],
    ]);
    expect(said).toContain('Running connector check...');
  });

  it('the models of the protocol parse every line', async () => {
    const types = await ask<Record<string, number>>('models', config, catalog);
    expect(types).toMatchObject({ SPEC: 1, CONNECTION_STATUS: 1, CATALOG: 1 });
    expect(types.RECORD).toBe(countOf(api));
    expect(types.STATE).toBeGreaterThanOrEqual(3);
  });

  it("the CDK's EntrypointOutput sees every record, no error and the right statuses", async () => {
    const seen = await ask<Record<string, unknown>>('entrypoint', config, catalog);
    expect(seen).toMatchObject({
      records: countOf(api),
      errors: 0,
      statuses: Object.fromEntries(STREAMS.map((name) => [name, ['STARTED', 'RUNNING', 'COMPLETE']])),
      final: 'COMPLETE',
    });
  });

  it('the five lines of the README work', async () => {
    const [, lines = ''] = /```python\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8')) ?? [];
    expect(lines.trim().split('\n')).toHaveLength(5);
    const given = '{"api_key": "sk-ant-api01-…"}';
    expect(lines).toContain(given);
    const program = lines.replace(given, readFileSync(config, 'utf8'));
    const said = await runPython(['-c', `${program}\nprint(len(users))`]);
    expect(Number(said.trimEnd().split('\n').at(-1))).toBe(servedKeys(api).size);
  });
});

const rowKey = (row: Row): string => `${row.organization_uuid} ${row.id}`;

/** Every value in the cache against what was served; lone surrogates are repaired by us, so both sides are. */
function compare(api: FixtureApi, { name: stream, fields }: Stream, rows: readonly Row[]): void {
  const byKey = new Map(rows.map((row) => [rowKey(row), row]));
  expect(byKey.size).toBe(rows.length);
  const wrong: unknown[] = [];
  let count = 0;
  for (const { uuid } of api.organizations()) {
    for (const record of api.records(stream, String(uuid))) {
      count += 1;
      const row = byKey.get(`${uuid} ${record.id}`) ?? {};
      for (const { name, type } of fields) {
        const value = record[name];
        const served = typeof value === 'string' ? value : undefined;
        if (type === 'timestamp') {
          const held = row[name] === null ? undefined : instant(`${String(row[name]).replace(' ', 'T')}Z`);
          if (held !== (served === undefined ? undefined : instant(served)))
            wrong.push([record.id, name, row[name], value]);
        } else if (row[name] !== (served?.toWellFormed() ?? null)) {
          wrong.push([record.id, name, row[name], value]);
        }
      }
      const unknown = Object.keys(record).filter((name) => !(name in row) && name.isWellFormed());
      const extra = (row.extra ?? {}) as Row;
      const lost = unknown.filter((name) => !Object.hasOwn(extra, name));
      if (lost.length > 0) wrong.push([record.id, 'extra', lost]);
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBe(rows.length);
}

/** Microseconds since 1970; undefined for what is not an instant of the years 1 to 9999. */
function instant(text: string): bigint | undefined {
  const micros = parseTimestamp(text)?.micros;
  const isHeld =
    micros !== undefined && micros >= -62_135_596_800_000_000n && micros < 253_402_300_800_000_000n;
  return isHeld ? micros : undefined;
}
