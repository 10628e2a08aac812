import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  type Clock,
  compact,
  createSink,
  type DatedFiles,
  LocalStorage,
  type PruneOptions,
  type Pruning,
  prune,
  readManifest,
  snapshot,
  systemClock,
  verify,
} from '../../src/index.js';
import { acquireLock } from '../../src/snapshot/lock.js';
import { readLog } from '../../src/snapshot/log.js';
import { CutShort, clientOf, filesBelow, take, temporaryFolder } from './tree.js';

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
    expect(after).toEqual({
      ...before,
      status: 'pruned',
      pruned: { at, status: 'complete', manifest_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
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

  it('leaves the newest of all where none is complete and of everything', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    for (const runDate of ['2026-11-20', '2026-11-21'])
      await take(api, root.path, { runDate, streams: ['users'] });
    const result = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(result.pruned)).toEqual(['2026-11-20']);
    expect(result.left).toMatchObject([{ runDate: '2026-11-21', code: 'newest' }]);
  });

  it('leaves a day that was being put in place, unless a newer one is complete', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', '2026-11-21']);
    const cut = compact({ storage: new CutShort(root.path), runDate: '2026-11-21' });
    await expect(cut).rejects.toThrow('cut');
    const early = await pruned(root.path, { keepDays: 1 });
    expect(early.left.map(({ runDate, code }) => [runDate, code])).toEqual([
      ['2026-11-20', 'newest'],
      ['2026-11-21', 'publication_cut_short'],
    ]);
    await take(api, root.path, { runDate: '2026-11-22' });
    const late = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(late.pruned)).toEqual(['2026-11-20', '2026-11-21']);
    expect((await verify({ storage: new LocalStorage(root.path), all: true })).findings).toEqual([]);
  });

  it('lets a date of the future protect no other', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', '2062-11-21']);
    const result = await pruned(root.path, { keepDays: 1 });
    expect(result.left).toMatchObject([{ runDate: '2026-11-20', code: 'newest' }]);
  });

  it('is refused at a place that is no root', async () => {
    await using root = await temporaryFolder();
    await expect(pruned(root.path, { keepDays: 1 })).rejects.toMatchObject({
      code: 'nothing_to_prune',
      exitCode: 2,
    });
    expect(await readdir(root.path)).toEqual([]);
  });

  it('does not hide that a manifest had been changed', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', TODAY]);
    const path = join(root.path, '_runs/run_date=2026-11-20/manifest.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rows": 3', '"rows": 2'));
    expect(datesOf((await pruned(root.path, { keepDays: 1 })).pruned)).toEqual(['2026-11-20']);
    const { findings } = await verify({ storage: new LocalStorage(root.path), runDate: '2026-11-20' });
    expect(findings).toContainEqual(
      expect.objectContaining({ problem: 'log', detail: expect.stringContaining('the log does not know') }),
    );
  });

  it('that slept until another run held the day changes nothing of it', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await takeDays(api, root.path, ['2026-11-20', TODAY]);
    const successor = {
      storage: new LocalStorage(root.path),
      runDate: '2026-11-20',
      runId: 'successor',
      clock: { ...systemClock, now: () => Date.parse(`${TODAY}T13:00:00Z`) },
    };
    class Sleeper extends LocalStorage {
      reads = 0;
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        yield* super.read(key);
        if (key.endsWith('run_date=2026-11-20/manifest.json') && ++this.reads === 2) {
          await (await acquireLock(successor)).release();
        }
      }
    }
    const result = await pruned(root.path, { keepDays: 1, storage: new Sleeper(root.path) });
    expect(result.left).toMatchObject([{ runDate: '2026-11-20', code: 'locked', failure: 'transient' }]);
    expect(await statusOf(root.path, '2026-11-20')).toBe('complete');
    expect(await datesBelow(root.path)).toContain('2026-11-20');
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

  it('does not hold up the next night when an unfinished run of it is left', async () => {
    await using api = await startFixtureApi({ sizes: [3, 2500] });
    await using root = await temporaryFolder();
    await using client = clientOf(api);
    const [, second] = api.organizations();
    const at = (iso: string): Clock => ({ ...systemClock, now: () => Date.parse(iso) });
    const storage = new LocalStorage(root.path);
    const run = (clock: Clock) => snapshot({ client, sink: createSink('ndjson'), storage, clock });
    await take(api, root.path, { runDate: '2026-11-20' });
    await take(api, root.path, { runDate: '2026-11-22', streams: ['organizations'] });
    api.fault({
      match: { organizationUuid: String(second?.uuid), page: 2, times: 1 },
      do: { type: 'answer', status: 503 },
    });
    await expect(run(at('2026-11-22T20:00:00Z'))).rejects.toMatchObject({ exitCode: 75 });
    await pruned(root.path, { keepDays: 1, clock: at('2026-11-23T01:00:00Z') });
    expect(await statusOf(root.path, '2026-11-22')).toBe('pruned');
    const [manifest] = await run(at('2026-11-23T02:00:00Z'));
    expect(manifest).toMatchObject({ run_date: '2026-11-23', status: 'complete' });
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
