import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, manifestFiles, manifestSchema, sinkFormats, streams } from '../../src/index.js';
import { filesBelow, memberships, rowsOf, servedMemberships, temporaryFolder } from '../run/support/tree.js';
import { environmentOf, run, say } from './command.js';

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

const argsOf = (...args: string[]) => ['dump', '--requests-per-minute', '0', ...DATE, ...args];
const dump = (...args: string[]) => say(argsOf(...args), environmentOf(api));
const into = (name = 'out') => ['--out', join(folder.path, name)];
const uuidOf = (index: number) => String(api.organizations()[index]?.uuid);
const manifestIn = async (root: string, day = '2026-11-23'): Promise<Manifest> =>
  manifestSchema.parse(
    JSON.parse(await readFile(join(folder.path, root, `_runs/run_date=${day}/manifest.json`), 'utf8')),
  );
/** The next request for an organisation's users fails. */
const fail = (organizationUuid: string, status: number) =>
  api.fault({ match: { organizationUuid, times: 1 }, do: { type: 'answer', status } });
/** One line of `dump --json`. */
const parseLine = (line: string): { location: string; log_head: string; manifest: Manifest } => {
  const { manifest, ...rest } = JSON.parse(line);
  return { ...rest, manifest: manifestSchema.parse(manifest) };
};
/** The head of the log of a root, made from the bytes of its last entry. */
async function headIn(root: string): Promise<string> {
  const entries = (await readdir(join(folder.path, root, '_runs/log'))).sort();
  const last = await readFile(join(folder.path, root, '_runs/log', entries.at(-1) ?? ''));
  return `${entries.length}:${createHash('sha256').update(last).digest('hex')}`;
}
/** Everything the fixture serves that names a person. */
function* personalTexts(): Generator<string> {
  for (const { uuid } of api.organizations()) {
    for (const { full_name: name, email } of api.users(String(uuid))) {
      for (const text of [name, email]) if (typeof text === 'string' && text.trim().length > 5) yield text;
    }
  }
}

describe('a --run-date that is not today', () => {
  const today = new Date().toISOString().slice(0, 10);
  const notAllowed = () => environmentOf(api, { CLAUDE_COMPLIANCE_BACK_DATED: undefined });
  const dated = (...args: string[]) =>
    say(['dump', '--requests-per-minute', '0', '--format', 'ndjson', ...QUIET, ...args], notAllowed());

  it.each([
    ['into a folder', into],
    ['to stdout', () => ['--out', '-', '--streams', 'organizations']],
  ])('is refused %s, and today is not', async (_, where) => {
    const asked = api.requests.length;
    const refused = await dated(...where(), '--run-date', '2026-11-23');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/2026-11-23 is not today's .*--back-dated.* \[run_date_not_today\]\n$/);
    expect(api.requests).toHaveLength(asked);
    expect(await dated(...where(), '--run-date', today)).toMatchObject({ code: 0, stderr: '' });
  });

  it('is taken with --back-dated, and shown by the manifest, snapshots and verify', async () => {
    const { code } = await dated(...into(), '--run-date', '2026-11-22', '--back-dated');
    expect(code).toBe(0);
    const manifest = await manifestIn('out', '2026-11-22');
    expect(manifest.started_at.slice(0, 10)).toBe(today);
    expect(manifest.configuration).toMatchObject({ back_dated: true });
    const shown = `complete, read on ${today}`;
    const list = await say(['snapshots', ...into()]);
    expect(list.stdout).toContain(shown);
    expect((await say(['verify', ...into()])).stdout).toContain(`2026-11-22: ${shown}, run `);
    const { snapshots } = JSON.parse((await say(['snapshots', ...into(), '--json'])).stdout);
    const { run_dates } = JSON.parse((await say(['verify', ...into(), '--json'])).stdout);
    for (const day of [...snapshots, ...run_dates])
      expect(day).toMatchObject({ started_at: manifest.started_at, is_back_dated: true });
  });
});

describe('dump', () => {
  it('publishes what the API serves, and says so in a few lines', async () => {
    const args = argsOf(...into(), '--format', 'ndjson', ...QUIET);
    const { code, stdout, stderr } = await run(args, { env: environmentOf(api) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const manifest = await manifestIn('out');
    const { files, bytes } = manifest.totals;
    expect(stdout.split('\n').filter((line) => !line.includes('lone surrogates'))).toEqual([
      'complete snapshot of 2026-11-23: 4 organizations, 2,004 users',
      `  ndjson: ${files} files, ${bytes.toLocaleString('en-GB')} bytes`,
      `  in ${join(folder.path, 'out')}`,
      `  log head ${await headIn('out')}`,
      '',
    ]);
    const rows = await rowsOf(join(folder.path, 'out'), manifest, 'users');
    expect(memberships(rows)).toEqual(servedMemberships(api));
    expect((await stat(join(folder.path, 'out', manifestFiles(manifest)[0]?.path ?? ''))).mode & 0o777).toBe(
      0o600,
    );
    expect(await readdir(join(folder.path, 'out/users/run_date=2026-11-23'))).toHaveLength(3);
  });

  it('prints with --json one line: where it is, the log head and the manifest', async () => {
    const { code, stdout } = await dump(...into(), '--format', 'csv', '--json');
    expect(code).toBe(0);
    expect(parseLine(stdout)).toEqual({
      location: join(folder.path, 'out'),
      log_head: await headIn('out'),
      manifest: await manifestIn('out'),
    });
  });

  it('keeps as evidence how a snapshot was made, without the key and what only steers the process', async () => {
    const state = join(folder.path, 'state');
    const keyFile = join(folder.path, 'key');
    await writeFile(keyFile, api.key);
    const flags = ['--json', '--progress', 'json', '--state', state, '--api-key-file', keyFile];
    const { stdout } = await dump(...into(), '--format', 'csv', ...flags);
    const { configuration } = parseLine(stdout).manifest;
    expect(Object.keys(configuration).sort()).toEqual([
      'allow_empty',
      'anthropic_version',
      'back_dated',
      'base_url',
      'budget_share',
      'concurrency',
      'csv_formula_guard',
      'deadline',
      'file_mode',
      'force',
      'format',
      'fresh',
      'layout',
      'max_list_length',
      'max_retries',
      'max_shrink',
      'on_org_failure',
      'out',
      'page_size',
      'requests_per_minute',
      'rows_per_file',
      'streams',
      'timeout',
    ]);
    expect(configuration).toMatchObject({ page_size: 1000, format: ['csv'], file_mode: '600' });
    expect(stdout).not.toContain(api.key);
  });

  it('prints no name, no address and no key, and keeps none in the manifest', async () => {
    fail(uuidOf(0), 500);
    const { stdout, stderr } = await dump(...into(), '--progress', 'json', '--max-retries', '2');
    const printed = `${stdout}${stderr}${await readFile(join(folder.path, 'out', MANIFEST), 'utf8')}`;
    expect(printed).toContain('"type":"retrying"');
    expect([...personalTexts()].length).toBeGreaterThan(1000);
    expect([...personalTexts(), api.key].filter((text) => printed.includes(text))).toEqual([]);
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
    const published = stdout.trim().split('\n').map(parseLine);
    const manifests = published.map(({ manifest }) => manifest);
    for (const { location, log_head, manifest } of published) {
      expect(location).toBe(join(folder.path, 'out', manifest.format));
      expect(log_head).toBe(await headIn(`out/${manifest.format}`));
    }
    expect(manifests.map(({ format }) => format)).toEqual(['parquet', 'csv', 'arrow', 'ndjson']);
    for (const { format, totals, tables } of manifests) {
      expect((await manifestIn(`out/${format}`)).totals).toEqual(totals);
      expect(tables.users?.rows).toBe(2004);
    }
    expect(await filesBelow(join(folder.path, 'out/_staging'))).toEqual({});
    const csv = manifestFiles(manifests[1] as Manifest).map(({ path }) => path);
    expect(csv.every((path) => path.endsWith('.csv.gz'))).toBe(true);
    const text = gunzipSync(await readFile(join(folder.path, 'out/csv', csv[0] ?? ''))).toString();
    expect(text).toMatch(/^uuid,name,created_at,snapshot_date,extra\r\n/);
  });

  it('refuses another format in the same folder, and a narrower scope over a complete snapshot', async () => {
    expect(await dump(...into(), '--format', 'csv', ...QUIET)).toMatchObject({ code: 0 });
    const before = await readFile(join(folder.path, 'out', MANIFEST), 'utf8');
    const other = await dump(...into(), '--format', 'ndjson', ...QUIET);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toContain('[dataset_mismatch]');
    const narrower = await dump(...into(), '--format', 'csv', '--org', uuidOf(0), ...QUIET);
    expect(narrower).toMatchObject({ code: 1, stdout: '' });
    expect(narrower.stderr).toContain('[scope_refused]');
    expect(await readFile(join(folder.path, 'out', MANIFEST), 'utf8')).toBe(before);
  });

  it('reads only the organisations asked for, as a scoped snapshot, and refuses those that the key does not list', async () => {
    const asked = api.requests.length;
    const upper = uuidOf(2).toUpperCase();
    expect(await dump(...into(), '--format', 'ndjson', '--org', upper, ...QUIET)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('scoped snapshot of 2026-11-23: 1 organizations, 1,000 users\n'),
    });
    expect(new Set(api.requests.slice(asked).map(({ organizationUuid }) => organizationUuid))).toEqual(
      new Set([undefined, uuidOf(2)]),
    );
    const unknown = '00000000-0000-4000-8000-000000000000';
    const refused = await dump(...into('other'), '--org', unknown, uuidOf(2), ...QUIET);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(`does not list the organisation ${unknown}.`);
  });

  it('gives every file the mode asked for, manifests and log too, and folders that can be entered', async () => {
    const root = join(folder.path, 'out');
    const flags = ['--format', 'csv', '--file-mode', '640', ...QUIET];
    expect(await dump(...into(), ...flags)).toMatchObject({ code: 0 });
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const published = entries.filter(({ parentPath, name }) => !join(parentPath, name).includes('_staging'));
    const modes = published.map(async (entry) => {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      return `${entry.isFile() ? 'file' : 'folder'} ${(mode & 0o777).toString(8)}`;
    });
    expect(new Set(await Promise.all(modes))).toEqual(new Set(['file 640', 'folder 750']));
  });

  it('publishes the rest with --on-org-failure continue, says what failed, and exits with 1', async () => {
    fail(uuidOf(3), 503);
    const args = [...into(), '--format', 'csv', '--max-retries', '0', ...QUIET];
    const { code, stdout } = await dump(...args, '--on-org-failure', 'continue');
    expect(code).toBe(1);
    expect(stdout).toContain('incomplete snapshot of 2026-11-23: 4 organizations, 1,003 users');
    expect(stdout).toMatch(new RegExp(`failed, not in the snapshot:\\n +users ${uuidOf(3)}: .*503`));
    expect(await dump(...args)).toMatchObject({ code: 0 });
    const { tables, totals } = await manifestIn('out');
    expect({ rows: tables.users?.rows, failed: totals.failed }).toEqual({ rows: 2004, failed: 0 });
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

  it('requests no other organisation than those named, and refuses unlisted ones', async () => {
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

  const textFormats = sinkFormats.filter(({ isText }) => isText).map(({ name }) => name);

  it.each(streams.map(({ name }) => name))(
    'streams %s in every text format, also of one organisation',
    async (name) => {
      await using small = await startFixtureApi({ sizes: [3, 0, 8], groups: 4 });
      const dumpSmall = (...args: string[]) => say(argsOf(...args, ...QUIET), environmentOf(small));
      const org = ['--org', String(small.organizations()[2]?.uuid)];
      for (const format of textFormats) {
        const flags = ['--streams', name, '--format', format];
        for (const scope of [[], org]) {
          const root = ['out', format, ...scope].join('-');
          await dumpSmall(...into(root), ...flags, ...scope, '--layout', 'per-date');
          const [file] = manifestFiles(await manifestIn(root));
          const published = await readFile(join(folder.path, root, file?.path ?? ''), 'utf8');
          const { code, stdout } = await dumpSmall('--out', '-', ...flags, ...scope, '--concurrency', '1');
          expect(code).toBe(0);
          expect(stdout.split('\n').sort()).toEqual(published.split('\n').sort());
          expect(stdout.trim().split('\n').length).toBeGreaterThan(format === 'csv' ? 1 : 0);
        }
      }
    },
  );

  it('refuses what is not one table as text, and names what can be given', async () => {
    for (const flags of [
      ['--streams', 'users'],
      ['--format', 'csv'],
      ['--format', 'csv', 'ndjson', '--streams', 'users'],
    ]) {
      const { code, stderr } = await stream(...flags);
      expect(code).toBe(2);
      for (const { name } of streams) expect(stderr).toContain(name);
      expect(stderr).toContain(`--format ${textFormats.join(', ')}. [stdout_needs_one_text_table]`);
    }
  });

  it('fails when a part of the table cannot be read', async () => {
    fail(uuidOf(3), 403);
    const { code, stderr } = await stream('--streams', 'users', '--format', 'csv');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: GET .*403.*\n$/);
  });
});

describe('--state', () => {
  it('in a folder full of files of others, also old ones, removes none of them', async () => {
    const state = join(folder.path, 'home');
    const day = 24 * 60 * 60;
    const old = Date.now() / 1000 - 40 * day;
    const strangers = [
      'tmp/report.pdf',
      'tmp/.tmp-1-2-3',
      'tmp/old/notes.txt',
      'thesis.tex',
      '_staging/tmp/draft.txt',
      '_staging/keep/run.json',
      '_staging/20200101T000000Z-00000000.1/mine.txt',
      '_runs/log/00000001.json',
      'users/run_date=2020-01-01/part-00000.parquet',
    ];
    for (const path of strangers) {
      await mkdir(join(state, path, '..'), { recursive: true });
      await writeFile(join(state, path), `mine: ${path}`);
      await utimes(join(state, path), old, old);
      await utimes(join(state, path, '..'), old, old);
    }
    const before = await filesBelow(state);
    const flags = [...into(), '--state', state, ...QUIET];
    expect(await dump(...flags)).toMatchObject({ code: 0, stderr: '' });
    expect(await dump(...flags, '--fresh')).toMatchObject({ code: 0, stderr: '' });
    const compacted = await say(['compact', ...into(), '--state', state, ...DATE]);
    expect(compacted).toMatchObject({ code: 0, stderr: '' });
    expect(await filesBelow(state)).toEqual(before);
  });
});
