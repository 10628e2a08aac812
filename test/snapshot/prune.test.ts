import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  type Clock,
  type DatedFiles,
  LocalStorage,
  type PruneOptions,
  type Pruning,
  prune,
  readManifest,
  systemClock,
  verify,
} from '../../src/index.js';
import { acquireLock } from '../../src/snapshot/lock.js';
import { readLog } from '../../src/snapshot/log.js';
import { filesBelow, take, temporaryFolder } from './tree.js';

/** Noon of a day, standing still. */
const noonOf = (date: string): Clock => ({ ...systemClock, now: () => Date.parse(`${date}T12:00:00Z`) });
const TODAY = '2026-11-23';
const DAYS = ['2026-11-20', '2026-11-21', '2026-11-22', TODAY];

const pruned = (root: string, options: Partial<PruneOptions> & { keepDays: number }): Promise<Pruning> =>
  prune({ storage: new LocalStorage(root), clock: noonOf(TODAY), ...options });
const datesOf = (dated: readonly DatedFiles[]): string[] => dated.map(({ runDate }) => runDate);
const statusOf = async (root: string, runDate: string) =>
  (await readManifest(new LocalStorage(root), runDate))?.status;

async function takeDays(api: FixtureApi, root: string, days: readonly string[] = DAYS): Promise<void> {
  for (const runDate of days) await take(api, root, { runDate });
}

/** The run dates that still have files, in any table. */
async function datesBelow(root: string): Promise<string[]> {
  const paths = Object.keys(await filesBelow(root)).filter((path) => !path.startsWith('_'));
  return [...new Set(paths.map((path) => /run_date=([\d-]+)/.exec(path)?.[1] ?? path))];
}

describe('pruning', () => {
  it.each([
    [1, []],
    [2, ['2026-11-22']],
    [3, ['2026-11-21', '2026-11-22']],
    [4, ['2026-11-20', '2026-11-21', '2026-11-22']],
    [400, ['2026-11-20', '2026-11-21', '2026-11-22']],
  ] as const)('with %d days to keep leaves today and %j', async (keepDays, kept) => {
    await using api = await startFixtureApi({ sizes: [3, 0] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path);
    const result = await pruned(root.path, { keepDays });
    expect(await datesBelow(root.path)).toEqual([...kept, TODAY]);
    expect(datesOf(result.pruned)).toEqual(
      DAYS.filter((date) => date !== TODAY && !kept.includes(date as never)),
    );
    expect(result.left).toEqual([]);
  });

  it('keeps the manifests of what it removes, marked, and the log tells of it', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', TODAY]);
    const storage = new LocalStorage(root.path);
    const before = await readManifest(storage, '2026-11-20');
    expect(await pruned(root.path, { keepDays: 2 })).toEqual({
      keptFrom: '2026-11-22',
      pruned: [{ runDate: '2026-11-20', files: 3, bytes: before?.totals.bytes }],
      left: [],
    });
    const at = `${TODAY}T12:00:00.000Z`;
    const after = await readManifest(storage, '2026-11-20');
    expect(after).toEqual({ ...before, status: 'pruned', pruned: { at, status: 'complete' } });
    const { entries, broken } = await readLog(storage);
    expect(broken).toEqual([]);
    expect(entries.at(-1)).toMatchObject({
      at,
      action: 'prune',
      run_date: '2026-11-20',
      run_id: before?.run_id,
      status: 'pruned',
    });
    const { runDates, findings } = await verify({ storage, all: true });
    expect(findings).toEqual([]);
    expect(runDates.map(({ runDate, status, files }) => [runDate, status, files])).toEqual([
      [TODAY, 'complete', 3],
      ['2026-11-20', 'pruned', 0],
    ]);
    expect(await readdir(join(root.path, 'users'))).toEqual([`run_date=${TODAY}`]);
    expect(await readdir(join(root.path, '_staging', 'tmp'))).toEqual([]);
  });

  it('always leaves the newest complete snapshot, whatever its age', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', '2026-11-21']);
    const [first] = api.organizations();
    await take(api, root.path, { runDate: '2026-11-22', org: [String(first?.uuid)] });
    const result = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(result.pruned)).toEqual(['2026-11-20', '2026-11-22']);
    expect(result.left).toMatchObject([{ runDate: '2026-11-21', code: 'newest' }]);
    expect(await statusOf(root.path, '2026-11-21')).toBe('complete');
  });

  it('tells what it would do, and does nothing, in a dry run', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path);
    const before = await filesBelow(root.path);
    const planned = await pruned(root.path, { keepDays: 2, dryRun: true });
    expect(await filesBelow(root.path)).toEqual(before);
    expect(await pruned(root.path, { keepDays: 2 })).toEqual(planned);
  });

  it('has nothing to do the second time, and asks for no lock', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path);
    await pruned(root.path, { keepDays: 2 });
    const before = await filesBelow(root.path);
    expect(await pruned(root.path, { keepDays: 2 })).toMatchObject({ pruned: [], left: [] });
    expect(await filesBelow(root.path)).toEqual(before);
  });

  it('leaves a day that another run holds, and prunes the others', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path);
    const held = {
      storage: new LocalStorage(root.path),
      runDate: '2026-11-20',
      runId: 'another',
      clock: noonOf(TODAY),
    };
    const lock = await acquireLock(held);
    const result = await pruned(root.path, { keepDays: 2 });
    await lock.release();
    expect(datesOf(result.pruned)).toEqual(['2026-11-21']);
    expect(result.left).toMatchObject([{ runDate: '2026-11-20', code: 'locked', failure: 'transient' }]);
    expect(await statusOf(root.path, '2026-11-20')).toBe('complete');
  });

  it('leaves what has no manifest, or one that nobody can read, and says so', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path);
    await mkdir(join(root.path, 'users/run_date=2026-01-01'));
    await writeFile(join(root.path, 'users/run_date=2026-01-01/mine.ndjson'), '{}\n');
    await writeFile(join(root.path, '_runs/run_date=2026-11-20/manifest.json'), '{"manifest_version":2}');
    const result = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(result.pruned)).toEqual(['2026-11-21', '2026-11-22']);
    expect(result.left.map(({ runDate, code }) => [runDate, code])).toEqual([
      ['2026-01-01', 'manifest_missing'],
      ['2026-11-20', 'manifest_invalid'],
    ]);
    expect((await datesBelow(root.path)).sort()).toEqual(['2026-01-01', '2026-11-20', TODAY]);
  });

  it('goes on where it was stopped between the mark and the last file', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', TODAY]);
    class Stopped extends LocalStorage {
      override removeFolder(): Promise<void> {
        return Promise.reject(new Error('stopped'));
      }
    }
    const storage = new Stopped(root.path);
    await expect(pruned(root.path, { keepDays: 1, storage })).rejects.toThrow('stopped');
    expect(await statusOf(root.path, '2026-11-20')).toBe('pruned');
    const { findings } = await verify({ storage, runDate: '2026-11-20' });
    expect(findings).toMatchObject([
      { problem: 'extra', detail: expect.stringContaining('run prune again') },
      { problem: 'extra' },
    ]);
    expect(datesOf((await pruned(root.path, { keepDays: 1 })).pruned)).toEqual(['2026-11-20']);
    expect((await verify({ storage, all: true })).findings).toEqual([]);
    const { entries } = await readLog(storage);
    expect(entries.filter(({ action }) => action === 'prune')).toHaveLength(1);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to keep %d days', async (keepDays) => {
    await using root = await temporaryFolder();
    await expect(pruned(root.path, { keepDays })).rejects.toMatchObject({
      code: 'settings_invalid',
      exitCode: 2,
    });
  });
});

describe('a day that was pruned', () => {
  it('is not written over: its manifest is all that is left', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', TODAY]);
    await pruned(root.path, { keepDays: 1 });
    const asked = api.requests.length;
    const again = take(api, root.path, { runDate: '2026-11-20', force: true });
    await expect(again).rejects.toMatchObject({ code: 'pruned_refused', exitCode: 1 });
    expect(api.requests.length).toBe(asked);
    expect(await statusOf(root.path, '2026-11-20')).toBe('pruned');
  });

  it('is not what the next one is compared with', async () => {
    await using small = await startFixtureApi({ sizes: [1] });
    await using large = await startFixtureApi({ sizes: [100] });
    await using root = await temporaryFolder();
    await take(small, root.path, { runDate: '2026-11-20' });
    await take(large, root.path, { runDate: '2026-11-22' });
    await pruned(root.path, { keepDays: 1 });
    await expect(take(small, root.path)).rejects.toMatchObject({ code: 'shrink_refused' });
  });
});
