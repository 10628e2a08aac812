import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, manifestFiles, manifestSchema } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships, temporaryFolder } from '../snapshot/tree.js';
import { environmentOf, run } from './command.js';

const DATE = ['--run-date', '2026-11-23'];
const QUIET = ['--progress', 'none'];
const MANIFEST = '_runs/run_date=2026-11-23/manifest.json';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [3, 0, 1000, 1001], awkward: true });
});
afterAll(() => api.close());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const dump = (...args: string[]) =>
  run(['dump', '--requests-per-minute', '0', ...DATE, ...args], { env: environmentOf(api) });
const into = (name = 'out') => ['--out', join(folder.path, name)];
const uuidOf = (index: number) => String(api.organizations()[index]?.uuid);
const manifestIn = async (root: string): Promise<Manifest> =>
  manifestSchema.parse(JSON.parse(await readFile(join(folder.path, root, MANIFEST), 'utf8')));
/** The next request for an organisation's users fails. */
const fail = (organizationUuid: string, status: number) =>
  api.fault({ match: { organizationUuid, times: 1 }, do: { type: 'answer', status } });
/** Everything the fixture serves that names a person. */
function* personalTexts(): Generator<string> {
  for (const { uuid } of api.organizations()) {
    for (const { full_name: name, email } of api.users(String(uuid))) {
      for (const text of [name, email]) if (typeof text === 'string' && text.trim().length > 5) yield text;
    }
  }
}

describe('dump', () => {
  it('lands what the API serves, and says so in a few lines', async () => {
    const { code, stdout, stderr } = await dump(...into(), '--format', 'ndjson', ...QUIET);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('complete snapshot of 2026-11-23: 4 organisations, 2,004 users');
    const manifest = await manifestIn('out');
    const rows = await rowsOf(join(folder.path, 'out'), manifest, 'users');
    expect(memberships(rows)).toEqual(servedMemberships(api));
    expect((await stat(join(folder.path, 'out', manifestFiles(manifest)[0]?.path ?? ''))).mode & 0o777).toBe(
      0o600,
    );
    expect(await readdir(join(folder.path, 'out/users/run_date=2026-11-23'))).toHaveLength(3);
  });

  it('prints the manifest and nothing else with --json, its configuration as data and without the key', async () => {
    const { code, stdout } = await dump(...into(), '--format', 'csv', '--json');
    expect(code).toBe(0);
    const manifest = manifestSchema.parse(JSON.parse(stdout));
    expect(manifest).toEqual(await manifestIn('out'));
    expect(manifest.configuration).toMatchObject({ page_size: 1000, format: ['csv'], file_mode: '600' });
    for (const name of Object.keys(manifest.configuration)) expect(name).toMatch(/^[a-z_]+$/);
    expect(stdout).not.toContain(api.key);
  });

  it('tells no name, no address and no key in what it prints or in the manifest', async () => {
    fail(uuidOf(0), 500);
    const { stdout, stderr } = await dump(...into(), '--progress', 'json', '--max-retries', '2');
    const told = `${stdout}${stderr}${await readFile(join(folder.path, 'out', MANIFEST), 'utf8')}`;
    expect(told).toContain('"type":"retrying"');
    expect([...personalTexts()].length).toBeGreaterThan(1000);
    expect([...personalTexts(), api.key].filter((text) => told.includes(text))).toEqual([]);
  });

  it('writes several formats at once, each into its own folder, each with its compression', async () => {
    const formats = [
      '--format',
      'parquet',
      'csv',
      'arrow',
      'ndjson',
      '--compression',
      'parquet=snappy,csv=gzip',
    ];
    const { code, stdout } = await dump(...into(), ...formats, '--json', ...QUIET);
    expect(code).toBe(0);
    const manifests = stdout
      .trim()
      .split('\n')
      .map((line) => manifestSchema.parse(JSON.parse(line)));
    expect(manifests.map(({ format }) => format)).toEqual(['parquet', 'csv', 'arrow', 'ndjson']);
    for (const { format, totals } of manifests) {
      expect((await manifestIn(`out/${format}`)).totals).toEqual(totals);
      expect(totals.users).toBe(2004);
    }
    const csv = manifestFiles(manifests[1] as Manifest).map(({ path }) => path);
    expect(csv.every((path) => path.endsWith('.csv.gz'))).toBe(true);
    const text = gunzipSync(await readFile(join(folder.path, 'out/csv', csv[0] ?? ''))).toString();
    expect(text).toMatch(/^uuid,name,created_at,snapshot_date,extra\r\n/);
  });

  it('writes Parquet in pure JavaScript when asked to', async () => {
    expect(await dump(...into(), '--parquet-writer', 'js', ...QUIET)).toMatchObject({ code: 0 });
    expect((await manifestIn('out')).configuration).toMatchObject({ parquet_writer: 'js' });
  });

  it('refuses another format in the same folder, and a narrower scope over a whole snapshot', async () => {
    expect(await dump(...into(), '--format', 'csv', ...QUIET)).toMatchObject({ code: 0 });
    const before = await readFile(join(folder.path, 'out', MANIFEST), 'utf8');
    const other = await dump(...into(), '--format', 'ndjson', ...QUIET);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toContain('holds csv files');
    const narrower = await dump(...into(), '--format', 'csv', '--org', uuidOf(0), ...QUIET);
    expect(narrower).toMatchObject({ code: 1, stdout: '' });
    expect(narrower.stderr).toContain('[scope_refused]');
    expect(await readFile(join(folder.path, 'out', MANIFEST), 'utf8')).toBe(before);
  });

  it('reads only the organisations asked for, and refuses those that the key does not list', async () => {
    const asked = api.requests.length;
    const upper = uuidOf(2).toUpperCase();
    expect(await dump(...into(), '--format', 'ndjson', '--org', upper, ...QUIET)).toMatchObject({ code: 0 });
    expect(new Set(api.requests.slice(asked).map(({ organizationUuid }) => organizationUuid))).toEqual(
      new Set([undefined, uuidOf(2)]),
    );
    const unknown = '00000000-0000-4000-8000-000000000000';
    const refused = await dump(...into('other'), '--org', unknown, uuidOf(2), ...QUIET);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(`does not list the organisation ${unknown}.`);
  });

  it('gives the files the mode asked for, and folders that can be entered', async () => {
    expect(await dump(...into(), '--format', 'csv', '--file-mode', '640', ...QUIET)).toMatchObject({
      code: 0,
    });
    const [file] = manifestFiles(await manifestIn('out'));
    const path = join(folder.path, 'out', file?.path ?? '');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o750);
  });

  it('lands the rest with --on-org-failure continue, says what failed, and exits with 1', async () => {
    fail(uuidOf(3), 503);
    const args = [...into(), '--format', 'csv', '--max-retries', '0', ...QUIET];
    const { code, stdout } = await dump(...args, '--on-org-failure', 'continue');
    expect(code).toBe(1);
    expect(stdout).toContain('incomplete snapshot of 2026-11-23: 4 organisations, 1,003 users');
    expect(stdout).toMatch(new RegExp(`failed, and not part of it:\\n +${uuidOf(3)}: .*503`));
    expect(await dump(...args)).toMatchObject({ code: 0 });
    expect((await manifestIn('out')).totals).toMatchObject({ users: 2004, failed: 0 });
  });

  it('tells with --dry-run what it would cost, and writes nothing', async () => {
    const { code, stdout } = await run(['dump', ...into(), '--dry-run', ...QUIET], {
      env: environmentOf(api),
    });
    expect(code).toBe(0);
    for (const { uuid } of api.organizations()) expect(stdout).toContain(`${uuid}\n`);
    expect(stdout).toContain('4 organisations: at least 5 requests, which at 600 a minute take about 1 s.');
    expect(await readdir(folder.path)).toEqual([]);
    const unknown = await dump('--dry-run', '--org', '00000000-0000-4000-8000-000000000000', ...QUIET);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('dump --out -', () => {
  const stream = (...args: string[]) => dump('--out', '-', ...QUIET, ...args);

  it('streams NDJSON with the values of the files', async () => {
    const { code, stdout } = await stream('--streams', 'users', '--format', 'ndjson', '--concurrency', '1');
    expect(code).toBe(0);
    await dump(...into(), '--format', 'ndjson', ...QUIET);
    const rows = await rowsOf(join(folder.path, 'out'), await manifestIn('out'), 'users');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
    expect(rows).toHaveLength(2004);
  });

  it('streams CSV with the bytes of the file', async () => {
    const one = ['--format', 'csv', '--org', uuidOf(2)];
    const { code, stdout } = await stream('--streams', 'users', ...one);
    expect(code).toBe(0);
    await dump(...into(), ...one, ...QUIET);
    const [file] = manifestFiles(await manifestIn('out')).filter(({ table }) => table === 'users');
    expect(stdout).toBe(await readFile(join(folder.path, 'out', file?.path ?? ''), 'utf8'));
  });

  it('asks for no other organisation than those named, and refuses unlisted ones', async () => {
    const asked = api.requests.length;
    expect(await stream('--streams', 'users', '--format', 'csv', '--org', uuidOf(0))).toMatchObject({
      code: 0,
    });
    expect(new Set(api.requests.slice(asked).map(({ organizationUuid }) => organizationUuid))).toEqual(
      new Set([undefined, uuidOf(0)]),
    );
    const unknown = ['--org', '00000000-0000-4000-8000-000000000000'];
    expect(await stream('--streams', 'users', '--format', 'csv', ...unknown)).toMatchObject({
      code: 2,
      stdout: '',
    });
  });

  it('does not end well when the table is not whole', async () => {
    fail(uuidOf(3), 403);
    const { code, stderr } = await stream('--streams', 'users', '--format', 'csv');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: GET .*403.*\n$/);
  });
});
