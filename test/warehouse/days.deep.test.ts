import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDayProgress } from '../../connectors/kit/day-progress.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  manifestFiles,
  prune,
  readLog,
  readManifest,
} from '../../src/index.js';
import { stoppedAt } from '../run/support/clocks.js';
import { take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { claudeCompliance } from './support/command.js';
import { query } from './support/duckdb-file.js';

const DAYS = ['2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22'];

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let database: string;
let made = 0;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [2, 0, 5] });
  folder = await temporaryFolder();
});
afterAll(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});
beforeEach(async () => {
  made += 1;
  root = join(folder.path, `root ${made}`);
  database = join(folder.path, `${made}.duckdb`);
  for (const runDate of DAYS) await take(api, root, { runDate, sink: createSink('csv') });
});

const load = (...flags: string[]) =>
  claudeCompliance([
    ...['load', 'duckdb', '--database', database, '--state', join(folder.path, 'state'), '--from', root],
    ...flags,
  ]);
const QUIET = ['--progress', 'none'];

/** The run dates that are loaded, with the rows of their users, the manifest and when that was. */
const loaded = () =>
  query(
    database,
    `SELECT CAST(run_date AS VARCHAR) AS day, manifest_sha256, loaded_at,
      (SELECT count(*) FROM users_snapshot WHERE snapshot_date = run_date) AS users
    FROM snapshots WHERE stream = 'users' ORDER BY 1`,
  );
const daysLoaded = async () => (await loaded()).map(({ day, users }) => [day, Number(users)]);

describe('load of several days', () => {
  it('loads those of the range, with both ends, and the same the second time not at all', async () => {
    expect(await load('--run-date', '2026-11-20..2026-11-21', ...QUIET)).toEqual({
      exitCode: 0,
      stdout: `2 snapshots loaded, 0 unchanged\n  in ${database}\n`,
      stderr: '',
    });
    expect(await daysLoaded()).toEqual([
      ['2026-11-20', 7],
      ['2026-11-21', 7],
    ]);
    const log = await readLog(new LocalStorage(root));
    const before = await loaded();
    expect(before.map(({ manifest_sha256 }) => manifest_sha256)).toEqual(
      log.slice(1, 3).map(({ entry }) => entry?.manifest_sha256),
    );
    expect(await load('--all', ...QUIET)).toMatchObject({
      exitCode: 0,
      stdout: `2 snapshots loaded, 2 unchanged\n  in ${database}\n`,
    });
    const after = await loaded();
    expect(after.map(({ day }) => day)).toEqual(DAYS);
    expect(after.filter(({ day }) => before.some((one) => one.day === day))).toEqual(before);
  });

  it('loads a day again that was published again, or compacted, and leaves the others as they are', async () => {
    await load('--all', ...QUIET);
    const before = await loaded();
    await using larger = await startFixtureApi({ sizes: [2, 0, 5, 4] });
    await take(larger, root, { runDate: '2026-11-20', sink: createSink('csv') });
    await compact({ storage: new LocalStorage(root), runDate: '2026-11-21' });
    expect(await load('--all', ...QUIET)).toMatchObject({
      exitCode: 0,
      stdout: `2 snapshots loaded, 2 unchanged\n  in ${database}\n`,
    });
    const after = await loaded();
    expect(await daysLoaded()).toEqual([
      ['2026-11-19', 7],
      ['2026-11-20', 11],
      ['2026-11-21', 7],
      ['2026-11-22', 7],
    ]);
    const changed = after.filter((row, i) => JSON.stringify(row) !== JSON.stringify(before[i]));
    expect(changed.map(({ day }) => day)).toEqual(['2026-11-20', '2026-11-21']);
  });

  it('says which day failed, and loads the others', async () => {
    const manifest = await readManifest(new LocalStorage(root), '2026-11-20');
    const [file] = manifest ? manifestFiles(manifest) : [];
    await appendFile(join(root, String(file?.path)), 'more');
    const { exitCode, stdout } = await load('--all', ...QUIET);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')).toEqual([
      '3 snapshots loaded, 0 unchanged, 1 not loaded',
      `  in ${database}`,
      expect.stringMatching(/^ {2}2026-11-20: not loaded\. .*\[file_differs\]$/),
      '',
    ]);
    expect((await daysLoaded()).map(([day]) => day)).toEqual(['2026-11-19', '2026-11-21', '2026-11-22']);
    // And tries it again the next time.
    expect(await load('--all', ...QUIET)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('0 snapshots loaded, 3 unchanged, 1 not loaded'),
    });
  });

  it('leaves out what was pruned, and refuses what is incomplete unless it is asked for', async () => {
    await prune({ storage: new LocalStorage(root), keepDaily: 3, clock: stoppedAt('2026-11-22T12:00:00Z') });
    api.fault({ match: { organizationUuid: uuidOf(api, 2), times: 1 }, do: { type: 'data-null' } });
    const options = { onOrgFailure: 'continue' as const, sink: createSink('csv'), maxShrink: 100 };
    await take(api, root, { runDate: '2026-11-23', ...options });
    const refused = await load('--all', ...QUIET);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toMatch(
      /^3 snapshots loaded, 0 unchanged, 1 pruned, 1 not loaded\n.*\n {2}2026-11-23: not loaded\. .* --allow-incomplete.* \[snapshot_incomplete\]\n$/,
    );
    expect(await load('--all', '--allow-incomplete', ...QUIET)).toEqual({
      exitCode: 1,
      stdout: `1 snapshot loaded, 3 unchanged, 1 pruned\n  in ${database}\n  2026-11-23: incomplete, the views leave it out\n`,
      stderr: '',
    });
    expect((await daysLoaded()).map(([day]) => day)).toEqual([...DAYS.slice(1), '2026-11-23']);
  });

  it('ends with 2 when there is none in the range, and makes no database', async () => {
    const { exitCode, stderr } = await load('--run-date', '2026-01-01..2026-11-18', ...QUIET);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('[snapshot_missing]');
    await expect(loaded()).rejects.toThrow();
  });

  it('reports each day as a JSON line', async () => {
    const { stderr } = await load('--run-date', '2026-11-19..2026-11-20', '--progress', 'json');
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'day-done');
    expect(events.map(({ type, run_date, days }) => [type, run_date, days])).toEqual([
      ['day-done', '2026-11-19', 2],
      ['day-done', '2026-11-20', 2],
    ]);
    for (const { at } of events) expect(new Date(at).toISOString()).toBe(at);
  });

  it('is one bar on a terminal, which counts the days, names them and leaves the cursor shown', async () => {
    const stderr = Object.assign(new PassThrough(), { isTTY: true });
    const progress = openDayProgress('auto', { days: 3, stderr });
    progress.done('2026-11-19');
    progress.failed({ runDate: '2026-11-20', code: 'file_differs', message: 'It differs.' });
    progress.done('2026-11-20');
    progress.close();
    stderr.end();
    const shown = await text(stderr);
    expect(shown).toMatch(/2\/3 days · 2026-11-20 · .* left · 1 failed/);
    expect(shown.lastIndexOf('\u001B[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001B[?25l'));
  });
});
