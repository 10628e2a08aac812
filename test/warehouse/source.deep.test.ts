import { appendFile, copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { extract } from '../../connectors/warehouse/source/extraction.js';
import { fetchFiles } from '../../connectors/warehouse/source/local-files.js';
import {
  checkUnchanged,
  chooseSnapshot,
  explainChange,
} from '../../connectors/warehouse/source/snapshot-source.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  createSink,
  LocalStorage,
  manifestFiles,
  sinkFormats,
  streams,
  users as usersStream,
} from '../../src/index.js';
import { clientOf, take, temporaryFolder } from '../run/support/tree.js';
import { servedRows } from '../served-rows.js';
import { claudeCompliance, environmentOf, UNHURRIED } from './support/command.js';
import { query, tableOf, textRows } from './support/duckdb-file.js';
import { olderUsers, takeOlder } from './support/older.js';
import { rewriteFile, rewriteManifest } from './support/rewrite.js';
import { sorted } from './support/served.js';

const RUN_DATE = '2026-11-23';
const EVERY_STREAM = streams.map(({ name }) => name);
const users = tableOf('users');

let api: FixtureApi;
let awkward: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let database: string;
let made = 0;

beforeAll(async () => {
  api = await startFixtureApi({ sizes: [2, 0, 5] });
  awkward = await startFixtureApi({ organizations: 4, users: 300, awkward: true });
  folder = await temporaryFolder();
});

beforeEach(() => {
  made += 1;
  root = join(folder.path, `root ${made}`);
  database = join(folder.path, `${made}.duckdb`);
});

afterAll(async () => {
  await api.close();
  await awkward.close();
  await folder[Symbol.asyncDispose]();
});

const load = (...flags: string[]) =>
  claudeCompliance([
    ...['load', 'duckdb', '--database', database, '--state', join(folder.path, 'state')],
    ...['--from', root, ...flags],
  ]);

const refused = (exitCode: number, text: string) => ({ exitCode, stderr: expect.stringContaining(text) });

describe('the snapshot that is loaded', () => {
  const daysLoaded = async () =>
    (await query(database, 'SELECT DISTINCT run_date AS day FROM snapshots')).map(({ day }) => day);

  it('is the newest that holds the streams asked for, completely and of all organisations', async () => {
    await take(api, root, { runDate: '2026-11-20', streams: EVERY_STREAM });
    await take(api, root, { runDate: '2026-11-21' });
    await take(api, root, { runDate: '2026-11-22', org: [String(api.organizations()[0]?.uuid)] });
    await take(api, root, { runDate: RUN_DATE, streams: ['organizations'] });
    await load();
    expect(await daysLoaded()).toEqual(['2026-11-21']);
    await rm(database);
    await load('--streams', 'roles');
    expect(await daysLoaded()).toEqual(['2026-11-20']);
    await rm(database);
    await load('--streams', 'organizations');
    expect(await daysLoaded()).toEqual([RUN_DATE]);
  });

  it('is never an incomplete one, unless its date is named and --allow-incomplete is given', async () => {
    const broken = await startFixtureApi({ sizes: [2, 0, 5] });
    broken.fault({
      match: { organizationUuid: String(broken.organizations()[2]?.uuid) },
      do: { type: 'data-null' },
    });
    await take(broken, root, { onOrgFailure: 'continue' });
    await broken.close();
    expect(await load()).toMatchObject(refused(2, 'snapshot_missing'));
    expect(await load('--run-date', RUN_DATE)).toMatchObject(refused(1, 'snapshot_incomplete'));
    expect(await load('--run-date', RUN_DATE, '--allow-incomplete')).toMatchObject({ exitCode: 1 });
    expect(await textRows(database, users)).toHaveLength(2);
  });

  it('is not chosen in a format that DuckDB does not read: the error names those that it does', async () => {
    await take(api, root, { sink: createSink('arrow') });
    const loadable = sinkFormats.filter(({ duckdb }) => duckdb).map(({ name }) => name);
    expect(await load()).toMatchObject(refused(2, loadable.join(', ')));
  });

  it('is not CSV that was dumped with --csv-formula-guard; Parquet of the same dump is loaded', async () => {
    const dump = ['dump', '--out', root, '--run-date', RUN_DATE, ...UNHURRIED, '--csv-formula-guard'];
    const formats = ['--format', 'csv', '--format', 'parquet'];
    expect(await claudeCompliance([...dump, ...formats], environmentOf(api))).toMatchObject({ exitCode: 0 });
    const out = root;
    root = join(out, 'csv');
    expect(await load()).toMatchObject(refused(2, '--csv-formula-guard'));
    root = join(out, 'parquet');
    expect(await load()).toMatchObject({ exitCode: 0 });
  });
});

describe('a load', () => {
  it('reads only the files that the manifest names', async () => {
    const manifest = await take(api, root);
    const [file] = manifestFiles(manifest).filter(({ table }) => table === 'users');
    await copyFile(join(root, file?.path ?? ''), join(root, dirname(file?.path ?? ''), 'part-00009.ndjson'));
    await load();
    expect(await textRows(database, users)).toHaveLength(7);
  });

  it('takes a root by its name, even when that is a pattern, and leaves its neighbour alone', async () => {
    await take(api, join(folder.path, 'pattern neighbour'));
    root = join(folder.path, 'pattern*');
    await take(api, root);
    expect(await load()).toMatchObject({ exitCode: 0 });
    expect(await textRows(database, users)).toHaveLength(7);
  });

  it.each(['another size', 'another content', 'no file'])('refuses a file with %s', async (change) => {
    const manifest = await take(api, root);
    const path = join(root, manifestFiles(manifest).at(-1)?.path ?? '');
    const text = await readFile(path, 'utf8');
    if (change === 'another size') await appendFile(path, text);
    else if (change === 'another content') await writeFile(path, text.replace('"user_', '"resu_'));
    else await rm(path);
    expect(await load()).toMatchObject(refused(1, change === 'no file' ? 'not_found' : 'file_differs'));
  });

  it('refuses files that do not hold the rows which the manifest counts, list by list', async () => {
    const manifest = await take(api, root, { streams: EVERY_STREAM });
    for (const name of ['users', 'roles']) {
      const changed = structuredClone(manifest);
      const [first, , third] = changed.tables[name]?.slices ?? [];
      if (!first || !third) throw new Error('the fixture has three organisations');
      [first.rows, third.rows] = [third.rows + 1, first.rows - 1]; // the sum is right
      await rewriteManifest(root, changed);
      expect(await load()).toMatchObject(refused(1, 'rows_differ'));
    }
    expect(await query(database, 'SELECT table_name FROM information_schema.tables')).toEqual([]);
  });

  it('refuses a row that is there twice instead of another one', async () => {
    const manifest = await take(api, root);
    const slice = manifest.tables.users?.slices[2];
    const [file] = slice?.files ?? [];
    const { users: all } = servedRows(api, RUN_DATE);
    const own = all.filter((row) => row.organization_uuid === slice?.parent.organization_uuid);
    const twice = [...own.slice(1), ...own.slice(-1)];
    const { schema } = usersStream;
    if (!slice || !file) throw new Error('the third organisation has users');
    slice.files = [await rewriteFile(root, file, { format: 'ndjson', schema, rows: twice })];
    await rewriteManifest(root, manifest);
    expect(await load()).toMatchObject(refused(1, 'rows_differ'));
  });

  it.each([
    ['outside of its table', 'organizations/', 'organizations/../organizations/'],
    ['of another table', 'organizations/', 'users/'],
    ['of another date', RUN_DATE, '2026-11-22'],
    ['without a run', /-[^-]*(?=\.ndjson)/, ''],
    ['with a quote', '.ndjson', "'.ndjson"],
    ['with a pattern', 'part-00000', 'part-*'],
  ])('refuses a manifest that names a file %s', async (_, from, to) => {
    const manifest = await take(api, root);
    for (const file of manifest.tables.organizations?.slices[0]?.files ?? [])
      file.path = file.path.replace(from, to);
    await rewriteManifest(root, manifest);
    expect(await load()).toMatchObject(refused(1, 'manifest_paths_foreign'));
  });

  it('refuses a manifest that was changed after it was published', async () => {
    const manifest = await take(api, root);
    const path = join(root, `_runs/run_date=${RUN_DATE}/${manifest.written.run_id}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rows": 7', '"rows": 8'));
    expect(await load()).toMatchObject(refused(1, 'manifest_differs'));
  });

  it('fetches the files of a bucket into its own folder, readable by their owner only', async () => {
    await take(api, root);
    const local = new LocalStorage(root);
    const storage = {
      location: 's3://bucket',
      read: local.read.bind(local),
      list: local.list.bind(local),
    } as unknown as LocalStorage;
    const scratch = join(folder.path, `fetched ${made}`);
    await mkdir(scratch);
    const source = await chooseSnapshot({
      storage,
      runDate: 'latest',
      streams: ['users'],
      allowIncomplete: false,
    });
    const files = await fetchFiles(source, { scratch, signal: new AbortController().signal });
    expect(files.map(({ path }) => path)).toEqual(
      manifestFiles(source.manifest).map(({ path }) => join(scratch, path)),
    );
    for (const { path } of files) expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});

describe('a snapshot that is replaced while it is loaded', () => {
  const choose = () =>
    chooseSnapshot({
      storage: new LocalStorage(root),
      runDate: 'latest',
      streams: ['users'],
      allowIncomplete: false,
    });

  it('is for later, also when the files are gone before they were read', async () => {
    await take(api, root);
    const source = await choose();
    await checkUnchanged(source);
    await take(api, root);
    const changed = { code: 'snapshot_changed', exitCode: 75 };
    await expect(checkUnchanged(source)).rejects.toMatchObject(changed);
    const { signal } = new AbortController();
    const fetching = () => fetchFiles(source, { scratch: folder.path, signal });
    await expect(fetching()).rejects.toMatchObject({ code: 'not_found' });
    await expect(explainChange(source, fetching)).rejects.toMatchObject(changed);
  });

  it('is no explanation of an error when it was not replaced, nor when its log cannot be read', async () => {
    await take(api, root);
    const source = await choose();
    const failing = () => explainChange(source, () => Promise.reject(new Error('the server is down')));
    await expect(failing()).rejects.toThrow('the server is down');
    await take(api, root, { runDate: '2026-11-24' });
    await expect(failing()).rejects.toThrow('the server is down');
    await rm(join(root, '_runs/log'), { recursive: true });
    await writeFile(join(root, '_runs/log'), 'no folder');
    await expect(checkUnchanged(source)).rejects.toThrow('_runs/log');
    await expect(failing()).rejects.toThrow('the server is down');
  });
});

describe('the columns of another version', () => {
  it.each(['parquet', 'ndjson', 'csv'])('are null where an older one, of %s, had none', async (format) => {
    await takeOlder(awkward, root, format);
    expect(await load()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(sorted(await textRows(database, users))).toEqual(sorted(olderUsers(awkward, RUN_DATE)));
  });

  it('are refused where a newer one had more, and so is a stream that this one does not know', async () => {
    const manifest = await take(api, root);
    manifest.tables.users?.columns.push('shoe_size');
    await rewriteManifest(root, manifest);
    const { stderr, exitCode } = await load();
    expect(exitCode).toBe(2);
    expect(stderr).toContain('does not know: users.shoe_size. It was written by a newer version');
    manifest.tables.hats = { layout: 'per-date', columns: [], rows: 0, files: [], slices: [] };
    await rewriteManifest(root, manifest);
    expect(await load()).toMatchObject(refused(2, 'users.shoe_size, hats.'));
  });
});

describe('a snapshot that is taken for one load', () => {
  it('holds the streams that were asked for, and no others', async () => {
    await using client = clientOf(api);
    const { manifest } = await extract({
      client,
      streams: ['roles'],
      runDate: RUN_DATE,
      backDated: true,
      scratch: join(folder.path, `scratch ${made}`),
      signal: new AbortController().signal,
      onEvent: () => {},
    });
    expect(Object.keys(manifest.tables)).toEqual(['roles']);
    expect(manifest.tables.roles?.rows).toBe(servedRows(api, RUN_DATE, streams).roles?.length);
  });
});
