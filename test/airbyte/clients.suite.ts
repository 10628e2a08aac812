import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AWKWARD_ROUND,
  type FixtureApi,
  type ListHandle,
  startFixtureApi,
} from '../../fixtures/api/index.js';
import { type Field, parseTimestamp, type Stream, streams } from '../../src/index.js';
import { venv } from '../python/venv.js';
import { catalogOf, configFor, file, keyOf, served, servedKeys } from './harness.js';
import { install, lastProcess } from './process.js';
import { REQUIREMENTS } from './requirements.js';

const SCRIPT = resolve(import.meta.dirname, 'clients.py');
const README = resolve(import.meta.dirname, '../../connectors/airbyte/README.md');

const environment = await venv('airbyte', REQUIREMENTS);
if ('missing' in environment) console.log(`not run: real Airbyte clients: ${environment.missing}`);
const python = 'python' in environment ? environment.python : '';
const executable = install();
const run = promisify(execFile);

async function runPython(args: readonly string[], cwd = dirname(executable)): Promise<string> {
  const { stdout } = await run(python, args, {
    env: {
      PATH: `${dirname(executable)}:${dirname(python)}:${process.env.PATH}`,
      HOME: process.env.HOME,
      AIRBYTE_OFFLINE_MODE: '1',
      DO_NOT_TRACK: '1',
    },
    cwd,
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
  /** Of each sync that ended: the records it counted, and what was in the cache afterwards. */
  runs: { processed: number; rows: Rows }[];
}
type Rows = Record<string, Row[]>;
type Row = Record<string, unknown>;

const STREAMS = streams.map(({ name }) => name);
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

  it('PyAirbyte checks, discovers, and after a sync that was killed reads all of it, value for value, twice', async () => {
    const asked = () => api.requests.filter(({ list }) => list === 'role_permissions').length;
    api.fault({ match: { list: 'role_permissions', nth: 40 }, do: { type: 'hang' } });
    const reading = ask<Seen>('read', config, 'killed');
    while (asked() < 40) await setTimeout(20);
    process.kill(lastProcess(executable), 'SIGKILL');
    const { streams: offered, runs } = await reading;
    expect(offered).toEqual([...STREAMS].sort());
    for (const { rows } of runs) compareAll(api, rows);
    expect(runs.map(({ processed }) => processed)).toEqual([countOf(api), countOf(api)]);
  });

  it('PyAirbyte reads all of it with force_full_refresh, and JSON of any shape is text', async () => {
    const { runs } = await ask<Seen>('read', config, 'full', 'once');
    expect(runs.map(({ processed }) => processed)).toEqual([countOf(api)]);
    const { rows } = runs[0] as Seen['runs'][0];
    compareAll(api, rows);
    const uuid = api.organizations()[3]?.uuid;
    const settings = (rows.organization_settings ?? []).filter((row) => row.organization_uuid === uuid);
    expect(Object.fromEntries(settings.map(({ name, value }) => [name, value]))).toMatchObject({
      claude_code_enabled: 'true',
      public_projects_enabled: 'false',
      session_timeout_minutes: expect.stringMatching(/^\d+$/),
      custom_terms_url: null,
      provisioning: expect.stringMatching(/^"\w+"$/),
      blocked_connectors: '[]',
      network_access:
        '{"mode":"allow_list","ranges":["192.0.2.0/24","2001:db8::/32"],"exceptions":[{"until":null}]}',
    });
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
    const users = seen.runs[0]?.rows.users ?? [];
    expect(new Set(users.map((data) => keyOf({ stream: 'users', data })))).toEqual(servedKeys(slow));
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

  describe('with the lines of the README', () => {
    const recipe = (config: string) => {
      const [, lines = ''] = /```python\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8')) ?? [];
      expect(lines.trim().split('\n')).toHaveLength(6);
      const given = '{"api_key": "sk-ant-api01-…"}';
      expect(lines).toContain(given);
      return lines.replace(given, readFileSync(config, 'utf8'));
    };
    /** The ids of the users that are in the cache of a folder after a sync; those of the keys too. */
    const sync = async (program: string, folder: string) => {
      const print = [
        'import json',
        'keys = ab.get_default_cache()["api_keys"].to_pandas()',
        'print(json.dumps([sorted(users["id"]), sorted(keys["id"])]))',
      ];
      const said = await runPython(['-c', [program, ...print].join('\n')], folder);
      const [users, keys] = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '') as [string[], string[]];
      return { users, keys };
    };
    const idsOf = (api: FixtureApi) => ({
      users: api
        .organizations()
        .flatMap(({ uuid }) => [...api.users(String(uuid))].map(({ id }) => id))
        .sort(),
      keys: [...api.records('api_keys')].map(({ id }) => id).sort(),
    });
    const shrink = (list: ListHandle, count: number) => {
      for (let n = 0; n < count; n += 1) list.remove(list.count() - 1);
    };

    it('a third sync of a directory that has shrunk leaves only those who are still in it, and a failed one what was there', async () => {
      await using shrinking = await startFixtureApi({ sizes: [400, 300], groups: 2 });
      const [first, second] = shrinking.organizations();
      const program = recipe(file(configFor(shrinking)));
      const folder = mkdtempSync(join(tmpdir(), 'shrinking-'));
      const all = idsOf(shrinking);
      expect(await sync(program, folder)).toEqual(all);
      expect(await sync(program, folder)).toEqual(all);

      shrink(shrinking.list('users', String(first?.uuid)), 250);
      const fewer = idsOf(shrinking);
      expect(fewer.users).toHaveLength(450);
      expect(await sync(program, folder)).toEqual(fewer);

      shrink(shrinking.list('users', String(second?.uuid)), 100);
      shrinking.fault({ match: { list: 'users', nth: 2 }, do: { type: 'answer', status: 403 } });
      await expect(sync(program, folder)).rejects.toThrow(/AirbyteConnectorFailedError/);
      const look = 'import airbyte as ab\nusers = ab.get_default_cache()["users"].to_pandas()';
      expect(await sync(look, folder)).toEqual(fewer);
    });

    it('as the README warns: PyAirbyte keeps who left when it merges, and the rows of a stream that became empty', async () => {
      await using shrinking = await startFixtureApi({ sizes: [40, 30], groups: 2 });
      const replacing = recipe(file(configFor(shrinking)));
      const folder = mkdtempSync(join(tmpdir(), 'shrinking-'));
      const all = idsOf(shrinking);
      expect(await sync(replacing, folder)).toEqual(all);
      shrink(shrinking.list('users', String(shrinking.organizations()[0]?.uuid)), 25);
      const keys = shrinking.list('api_keys');
      shrink(keys, keys.count());
      for (const options of ['', 'force_full_refresh=True']) {
        const merging = replacing.replace(/source\.read\(.*?\)/, `source.read(${options})`);
        expect((await sync(merging, folder)).users).toEqual(all.users);
      }
      expect(await sync(replacing, folder)).toEqual({ users: idsOf(shrinking).users, keys: all.keys });
    });
  });
});

function compareAll(api: FixtureApi, rows: Rows): void {
  for (const stream of streams) compare(api, stream, rows[stream.name]);
}

/** Every value in the cache against what was served; lone surrogates are repaired by us, so both sides are. */
function compare(api: FixtureApi, { name: stream, fields }: Stream, rows: readonly Row[] = []): void {
  const byKey = new Map(rows.map((row) => [keyOf({ stream, data: row }), row]));
  expect(byKey.size, stream).toBe(rows.length);
  const wrong: unknown[] = [];
  const records = served(api, stream);
  for (const [key, record] of records) {
    const row = byKey.get(key) ?? {};
    for (const field of fields) {
      const [held, expected] = [heldOf(row[field.name], field), expectedOf(record[field.name], field)];
      if (held !== expected) wrong.push([stream, key, field.name, held, expected]);
    }
    const unknown = Object.keys(record).filter((name) => !(name in row) && name.isWellFormed());
    const extra = (row.extra ?? {}) as Row;
    const lost = unknown.filter((name) => !Object.hasOwn(extra, name));
    if (lost.length > 0) wrong.push([stream, key, 'extra', lost]);
  }
  expect(wrong).toEqual([]);
  expect(records.size, stream).toBe(rows.length);
}

/** A served value that can be compared; null is what its column cannot hold. */
function expectedOf(value: unknown, { type, shape }: Field): unknown {
  if (type === 'boolean') return typeof value === 'boolean' ? value : null;
  if (type === 'json') return shape === 'array' && !Array.isArray(value) ? null : jsonOf(value ?? null);
  if (typeof value !== 'string') return null;
  return type === 'timestamp' ? (instant(value) ?? null) : value.toWellFormed();
}

/** The same of a value in the cache, where JSON of any shape is text. */
function heldOf(value: unknown, { type }: Field): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'timestamp') return instant(`${String(value).replace(' ', 'T')}Z`) ?? null;
  if (type === 'json') return jsonOf(typeof value === 'string' ? JSON.parse(value) : value);
  return value;
}

/** As text, in which a lone surrogate is an escape. */
const jsonOf = (value: unknown): string | null =>
  value === null ? null : JSON.stringify(value).replace(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd');

/** Microseconds since 1970; undefined for what is not an instant of the years 1 to 9999. */
function instant(text: string): bigint | undefined {
  const micros = parseTimestamp(text)?.micros;
  const isHeld =
    micros !== undefined && micros >= -62_135_596_800_000_000n && micros < 253_402_300_800_000_000n;
  return isHeld ? micros : undefined;
}
