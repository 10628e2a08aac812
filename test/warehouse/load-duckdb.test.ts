import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchFiles } from '../../connectors/warehouse/local-files.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { compact, createSink, LocalStorage, type Manifest, manifestFiles } from '../../src/index.js';
import { take, temporaryFolder } from '../snapshot/tree.js';
import { claudeCompliance, environmentOf, UNHURRIED } from './command.js';
import { organizations, query, textRows, users } from './duckdb-file.js';
import { LAYOUTS, pruneBefore, takeLaidOut } from './laid-out.js';
import { servedRows, sorted } from './served.js';

const RUN_DATE = '2026-11-23';

let awkward: FixtureApi;
let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let database: string;
let made = 0;

beforeAll(async () => {
  awkward = await startFixtureApi({ organizations: 40, users: 900, awkward: true });
  api = await startFixtureApi({ sizes: [2, 0, 5] });
  folder = await temporaryFolder();
});

beforeEach(() => {
  made += 1;
  root = join(folder.path, `root [${made}]*`); // a path that DuckDB would take for a pattern
  database = join(folder.path, `it's ${made}.duckdb`);
});

afterAll(async () => {
  await awkward.close();
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const load = (...flags: string[]) =>
  claudeCompliance([
    'load',
    'duckdb',
    '--database',
    database,
    '--state',
    join(folder.path, 'state'),
    ...flags,
  ]);

const loadFromApi = (...flags: string[]) =>
  claudeCompliance(
    ['load', 'duckdb', '--database', database, '--state', join(folder.path, 'state'), ...UNHURRIED, ...flags],
    environmentOf(awkward),
  );

/** A snapshot in which one organisation is missing. */
const takeIncomplete = async (runDate: string): Promise<Manifest> => {
  const broken = await startFixtureApi({ sizes: [2, 0, 5] });
  const [, , third] = broken.organizations();
  broken.fault({ match: { organizationUuid: String(third?.uuid) }, do: { type: 'data-null' } });
  const manifest = await take(broken, root, { runDate, onOrgFailure: 'continue' });
  await broken.close();
  return manifest;
};

describe('load duckdb', () => {
  it('lands what the API serves, value for value, and leaves nothing behind', async () => {
    const { exitCode, stdout, stderr } = await loadFromApi('--run-date', RUN_DATE);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('complete snapshot of 2026-11-23: 40 organisations, 900 users');
    for (const table of [organizations, users]) {
      const served = sorted(servedRows(awkward, table, RUN_DATE));
      expect(sorted(await textRows(database, table))).toEqual(served);
      expect(sorted(await textRows(database, table, table.currentView))).toEqual(served);
    }
    expect(await readdir(join(folder.path, 'state', 'tmp'))).toEqual([]);
    expect((await stat(database)).mode & 0o777).toBe(0o600);
  });

  it.each(['parquet', 'parquet-js', 'ndjson', 'csv'])('lands the same from a dump in %s', async (format) => {
    await take(awkward, root, { sink: createSink(format) });
    expect(await load('--from', root)).toMatchObject({ exitCode: 0, stderr: '' });
    for (const table of [organizations, users]) {
      const served = sorted(servedRows(awkward, table, RUN_DATE));
      const landed = sorted(await textRows(database, table));
      // parquetjs-lite holds no microseconds before 1970; the text then stands in `extra`
      if (format === 'parquet-js') expect(landed.length).toBe(served.length);
      else expect(landed).toEqual(served);
    }
  });

  it.each(LAYOUTS)('lands the same from a day that was %s, in every format', async (layout) => {
    for (const format of ['parquet', 'ndjson', 'csv']) {
      const from = join(root, format);
      const manifest = await takeLaidOut(awkward, from, { layout, sink: createSink(format) });
      expect(manifest.layout).toBe('per-date');
      expect(await load('--from', from)).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await query(database, 'SELECT run_id FROM snapshots')).toEqual([{ run_id: manifest.run_id }]);
      for (const table of [organizations, users])
        expect(sorted(await textRows(database, table))).toEqual(sorted(servedRows(awkward, table, RUN_DATE)));
    }
  });

  it('lands the days of a root of both layouts, and refuses one that was pruned', async () => {
    for (const runDate of ['2026-11-20', '2026-11-21', RUN_DATE]) await take(api, root, { runDate });
    await compact({ storage: new LocalStorage(root), runDate: '2026-11-21' });
    await pruneBefore(root, '2026-11-21');
    expect(await load('--from', root, '--run-date', '2026-11-20')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('snapshot_pruned'),
    });
    for (const runDate of ['2026-11-21', RUN_DATE]) await load('--from', root, '--run-date', runDate);
    expect(
      await query(
        database,
        'SELECT snapshot_date AS day, count(*) AS n FROM users_snapshot GROUP BY 1 ORDER BY 1',
      ),
    ).toEqual(['2026-11-21', RUN_DATE].map((day) => ({ day, n: '7' })));
  });

  it('lands the same from files compressed with gzip', async () => {
    await take(awkward, root, { sink: createSink('csv', { compression: 'gzip' }) });
    expect(await load('--from', root)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(sorted(await textRows(database, users))).toEqual(sorted(servedRows(awkward, users, RUN_DATE)));
  });

  it('refuses Arrow files and guarded CSV, in a sentence that says what can be loaded', async () => {
    await take(api, root, { sink: createSink('arrow') });
    expect(await load('--from', root)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('parquet, ndjson, csv'),
    });
    await rm(root, { recursive: true });
    await take(api, root, {
      sink: createSink('csv', { csvFormulaGuard: true }),
      configuration: { csvFormulaGuard: true },
    });
    expect(await load('--from', root)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--csv-formula-guard'),
    });
  });

  it('gives the same when it is run again, and replaces a date whole', async () => {
    await take(api, root);
    await load('--from', root);
    const first = await textRows(database, users);
    await load('--from', root);
    expect(sorted(await textRows(database, users))).toEqual(sorted(first));

    api.removeUser(String(api.organizations()[2]?.uuid), 0);
    await take(api, root);
    await load('--from', root);
    expect(await textRows(database, users)).toHaveLength(first.length - 1);
    api.insertUser(String(api.organizations()[2]?.uuid), 0);
    expect(await query(database, 'SELECT run_date, users FROM snapshots')).toEqual([
      { run_date: RUN_DATE, users: String(first.length - 1) },
    ]);
  });

  it('shows the newest complete date, in whatever order the dates come', async () => {
    for (const runDate of ['2026-11-20', '2026-11-21']) await take(api, root, { runDate });
    await takeIncomplete('2026-11-22');
    expect(await load('--from', root, '--run-date', '2026-11-22', '--allow-incomplete')).toMatchObject({
      exitCode: 1,
    });
    const current = async () => await query(database, 'SELECT DISTINCT snapshot_date FROM users_current');
    expect(await current()).toEqual([]);
    await load('--from', root, '--run-date', '2026-11-21');
    await load('--from', root, '--run-date', '2026-11-20');
    expect(await current()).toEqual([{ snapshot_date: '2026-11-21' }]);
    expect(await query(database, 'SELECT count(DISTINCT snapshot_date) AS n FROM users_snapshot')).toEqual([
      { n: '3' },
    ]);
  });

  it('refuses an incomplete snapshot, unless it is asked for by name', async () => {
    await takeIncomplete(RUN_DATE);
    expect(await load('--from', root)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('snapshot_missing'),
    });
    expect(await load('--from', root, '--run-date', RUN_DATE)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('snapshot_incomplete'),
    });
  });

  it('never replaces what is complete, or was asked for more, by less', async () => {
    await take(api, root);
    await load('--from', root);
    await rm(root, { recursive: true });
    await takeIncomplete(RUN_DATE);
    expect(await load('--from', root, '--run-date', RUN_DATE, '--allow-incomplete')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('would_replace_complete'),
    });
    await rm(root, { recursive: true });
    await take(api, root, { org: [String(api.organizations()[0]?.uuid)] });
    expect(await load('--from', root, '--run-date', RUN_DATE)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('would_replace_wider'),
    });
    expect(await textRows(database, users)).toHaveLength(7);
  });

  it('loads only the files that the manifest lists', async () => {
    const manifest = await take(api, root);
    const [file] = manifestFiles(manifest).filter(({ table }) => table === 'users');
    await copyFile(join(root, file?.path ?? ''), join(root, dirname(file?.path ?? ''), 'part-00009.ndjson'));
    await load('--from', root);
    expect(await textRows(database, users)).toHaveLength(7);
  });

  it('takes a root whose name is a pattern by its name, and leaves its neighbour alone', async () => {
    await take(api, join(folder.path, 'pattern*'));
    await take(api, join(folder.path, 'pattern neighbour'));
    expect(await load('--from', join(folder.path, 'pattern*'))).toMatchObject({ exitCode: 0 });
    expect(await textRows(database, users)).toHaveLength(7);
  });

  it.each(['another size', 'another content', 'no file'])('refuses a listed file with %s', async (change) => {
    const manifest = await take(api, root);
    const path = join(root, manifestFiles(manifest).at(-1)?.path ?? '');
    const text = await readFile(path, 'utf8');
    if (change === 'another size') await appendFile(path, text);
    else if (change === 'another content') await writeFile(path, text.replace('"user_', '"resu_'));
    else await rm(path);
    const { exitCode, stderr } = await load('--from', root);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(change === 'no file' ? 'not_found' : 'file_differs');
  });

  it('refuses files that do not hold the rows which the manifest counts', async () => {
    const manifest = await take(api, root);
    manifest.slices = manifest.slices.map((slice) => ({ ...slice, rows: slice.rows * 2 }));
    await writeFile(join(root, `_runs/run_date=${RUN_DATE}/manifest.json`), JSON.stringify(manifest));
    expect(await load('--from', root)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('rows_differ'),
    });
    expect(await query(database, 'SELECT table_name FROM information_schema.tables')).toEqual([]);
  });

  it('refuses a manifest that names files outside of the root', async () => {
    const manifest = await take(api, root);
    for (const file of manifest.organizations.files) file.path = `organizations/../../${file.path}`;
    await writeFile(join(root, `_runs/run_date=${RUN_DATE}/manifest.json`), JSON.stringify(manifest));
    expect(await load('--from', root)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('manifest_paths_foreign'),
    });
  });

  it('waits for nobody: a snapshot that is being published is for later', async () => {
    const manifest = await take(api, root);
    const publishing = { ...manifest, status: 'publishing', published_at: null };
    await writeFile(join(root, `_runs/run_date=${RUN_DATE}/manifest.json`), JSON.stringify(publishing));
    expect(await load('--from', root, '--run-date', RUN_DATE)).toMatchObject({ exitCode: 75 });
  });

  it('says so and ends with 75 when another process holds the database', async () => {
    await take(api, root);
    await load('--from', root);
    const hold = `import('@duckdb/node-api').then(async ({ DuckDBInstance }) => {
      const instance = await DuckDBInstance.create(process.argv[1]);
      await instance.connect();
      console.log('held');
      setInterval(() => instance, 1000);
    })`;
    const holder = spawn(process.execPath, ['--eval', hold, database], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(holder.stdout, 'data');
      const { exitCode, stderr } = await load('--from', root);
      expect(exitCode).toBe(75);
      expect(stderr).toContain(`is held by another process (${holder.pid})`);
    } finally {
      holder.kill();
      await once(holder, 'exit');
    }
    expect(await load('--from', root)).toMatchObject({ exitCode: 0 });
  });

  it('says what is wrong with a file that is no database, before the API is asked', async () => {
    await writeFile(database, 'something else entirely, and not short at all');
    const asked = awkward.requests.length;
    expect(await loadFromApi()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('database_invalid'),
    });
    expect(awkward.requests.length).toBe(asked);
  });

  it('leaves no staging when the API fails', async () => {
    const failing = await startFixtureApi({ sizes: [1] });
    failing.fault({ do: { type: 'data-null' } });
    const ended = await claudeCompliance(
      [
        'load',
        'duckdb',
        '--database',
        database,
        '--state',
        join(folder.path, 'state'),
        '--max-retries',
        '0',
        ...UNHURRIED,
      ],
      environmentOf(failing),
    );
    await failing.close();
    expect(ended.exitCode).not.toBe(0);
    expect(await readdir(join(folder.path, 'state', 'tmp'))).toEqual([]);
  });

  it('is a scope and not current when only some organisations were asked for', async () => {
    const uuid = String(awkward.organizations()[3]?.uuid);
    expect(await loadFromApi('--org', uuid)).toMatchObject({ exitCode: 0 });
    expect(await query(database, 'SELECT DISTINCT organization_uuid AS uuid FROM users_snapshot')).toEqual([
      { uuid },
    ]);
    expect(await textRows(database, users, users.currentView)).toEqual([]);
  });

  it('puts the tables into --schema, whatever its name', async () => {
    await take(api, root);
    await load('--from', root, '--schema', 'select.x-y');
    expect(await textRows(database, users, '"select.x-y".users_current')).toHaveLength(7);
  });

  it('reads a bucket-like storage through the staging', async () => {
    const manifest = await take(api, root);
    const local = new LocalStorage(root);
    const storage = { location: 's3://bucket', read: local.read.bind(local) } as unknown as LocalStorage;
    const staging = join(folder.path, 'fetched');
    await mkdir(staging);
    const files = await fetchFiles({ storage, manifest }, { staging, signal: new AbortController().signal });
    expect(files.map(({ path }) => path)).toEqual(
      manifestFiles(manifest).map(({ path }) => join(staging, path)),
    );
    for (const { path } of files) expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});

describe('flags of load', () => {
  it.each([
    [['duckdb', '--dialect', 'snowflake', '--from', 'x'], '--dialect is for load sql'],
    [['sql', '--dialect', 'snowflake'], 'load sql needs --from'],
    [['sql', '--from', 'x'], 'load sql needs --dialect'],
    [['duckdb'], 'the key is missing'],
    [['duckdb', '--from', 'x', '--org', '00000000-0000-4000-8000-000000000000'], '--org chooses'],
    [['postgres', '--database', 'x', '--from', 'x'], '--database is for load duckdb'],
  ])('%j is refused: %s', async (args, message) => {
    const { exitCode, stderr } = await claudeCompliance(['load', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
