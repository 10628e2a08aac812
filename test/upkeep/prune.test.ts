import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, LocalStorage, readLog, readManifest, snapshot, verify } from '../../src/index.js';
import { clockAt } from '../run/support/clocks.js';
import { interrupted } from '../run/support/interrupted.js';
import { clientOf, filesBelow, take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { DAYS, datesBelow, datesOf, dayRoots, pruned, statusOf, TODAY } from './support/days.js';

const days = dayRoots();

describe('pruning', () => {
  it.each([
    [1, []],
    [2, ['2026-11-22']],
    [3, ['2026-11-21', '2026-11-22']],
    [4, ['2026-11-20', '2026-11-21', '2026-11-22']],
    [400, ['2026-11-20', '2026-11-21', '2026-11-22']],
  ] as const)('with %d days to keep leaves today and %j', async (keepDays, left) => {
    await using root = await days.rootWith('four');
    const result = await pruned(root.path, { keepDays });
    expect(await datesBelow(root.path)).toEqual([...left, TODAY]);
    expect(datesOf(result.pruned)).toEqual(
      DAYS.filter((date) => date !== TODAY && !left.includes(date as never)),
    );
    expect(datesOf(result.kept)).toEqual([...left, TODAY]);
    expect(result.failed).toEqual([]);
  });

  it('is one commit for each day: the manifest of it names no files and keeps the rest', async () => {
    await using root = await days.rootWith('two');
    const storage = new LocalStorage(root.path);
    const before = await readManifest(storage, '2026-11-20');
    const reasons = [
      { rule: 'days', detail: 'since 2026-11-22' },
      { rule: 'newest', detail: 'organizations, users' },
    ];
    expect(await pruned(root.path, { keepDays: 2 })).toEqual({
      pruned: [{ runDate: '2026-11-20', files: 3, bytes: before?.totals.bytes }],
      kept: [{ runDate: TODAY, files: 3, bytes: before?.totals.bytes, reasons }],
      failed: [],
    });
    const at = `${TODAY}T12:00:00.000Z`;
    const after = await readManifest(storage, '2026-11-20');
    const log = await readLog(storage);
    const withoutFiles = (slices: object[] = []) => slices.map((slice) => ({ ...slice, files: [] }));
    const { organizations, users } = before?.tables ?? {};
    expect(after).toEqual({
      ...before,
      status: 'pruned',
      written: { ...before?.written, action: 'prune', run_id: log[2]?.entry?.run_id, at },
      replaces: { run_id: before?.run_id, manifest_sha256: log[0]?.entry?.manifest_sha256 },
      totals: { ...before?.totals, files: 0, bytes: 0 },
      tables: {
        organizations: { ...organizations, slices: withoutFiles(organizations?.slices) },
        users: { ...users, slices: withoutFiles(users?.slices) },
      },
    });
    expect(log[2]?.entry).toMatchObject({
      at,
      action: 'prune',
      run_date: '2026-11-20',
      replaces: before?.run_id,
    });
    const { runDates, findings } = await verify({ storage, all: true });
    expect(findings).toEqual([]);
    expect(runDates.map(({ runDate, status, files }) => [runDate, status, files])).toEqual([
      [TODAY, 'complete', 3],
      ['2026-11-20', 'pruned', 0],
    ]);
    expect(await readdir(join(root.path, 'users'))).toEqual([`run_date=${TODAY}`]);
  });

  it('makes a plan first: a dry run reports what would be removed, and removes nothing', async () => {
    await using root = await days.rootWith('four');
    const before = await filesBelow(root.path);
    const planned = await pruned(root.path, { keepDays: 2, dryRun: true });
    expect(await filesBelow(root.path)).toEqual(before);
    expect(datesOf(planned.pruned)).toEqual(['2026-11-20', '2026-11-21']);
    expect(await pruned(root.path, { keepDays: 2 })).toEqual(planned);
  });

  it('has nothing to do the second time, and changes nothing', async () => {
    await using root = await days.rootWith('four');
    await pruned(root.path, { keepDays: 2 });
    const before = await filesBelow(root.path);
    expect(await pruned(root.path, { keepDays: 2 })).toMatchObject({ pruned: [], failed: [] });
    expect(await filesBelow(root.path)).toEqual(before);
  });

  it('is refused at a place that is no root', async () => {
    await using root = await temporaryFolder();
    const refused = pruned(root.path, { keepDays: 1 });
    await expect(refused).rejects.toMatchObject({ code: 'snapshot_missing', exitCode: 2 });
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to keep %d days', async (keepDays) => {
    await using root = await temporaryFolder();
    const refused = pruned(root.path, { keepDays });
    await expect(refused).rejects.toMatchObject({ code: 'settings_invalid', exitCode: 2 });
  });
});

describe('a day that was pruned', () => {
  it('is not written over: its manifests are all that is left', async () => {
    await using root = await days.rootWith('two');
    await pruned(root.path, { keepDays: 1 });
    const asked = days.api.requests.length;
    const again = take(days.api, root.path, { runDate: '2026-11-20', force: true });
    await expect(again).rejects.toMatchObject({ code: 'pruned_refused', exitCode: 1 });
    expect(days.api.requests).toHaveLength(asked);
    expect(await statusOf(root.path, '2026-11-20')).toBe('pruned');
  });

  it('does not hold up the next night when there is an unfinished run of it', async () => {
    await using root = await temporaryFolder();
    await using client = clientOf(days.api);
    const undated = { runDate: undefined as never };
    await take(days.api, root.path, { runDate: '2026-11-20' });
    await take(days.api, root.path, { runDate: '2026-11-22', org: [uuidOf(days.api, 0)] });
    await interrupted(days.api, root.path, { ...undated, clock: clockAt('2026-11-22T20:00:00Z') });
    await pruned(root.path, { keepDays: 1, clock: clockAt('2026-11-23T01:00:00Z') });
    expect(await statusOf(root.path, '2026-11-22')).toBe('pruned');
    const [manifest] = await snapshot({
      client,
      sink: createSink('ndjson'),
      storage: new LocalStorage(root.path),
      clock: clockAt('2026-11-23T02:00:00Z'),
    });
    expect(manifest).toMatchObject({ run_date: '2026-11-23', status: 'complete' });
  });

  it('is not what the next one is compared with', async () => {
    await using small = await startFixtureApi({ sizes: [1] });
    await using large = await startFixtureApi({ sizes: [100] });
    await using root = await temporaryFolder();
    await take(large, root.path, { runDate: '2026-11-20' });
    await take(small, root.path, { runDate: '2026-11-21', force: true });
    await take(large, root.path, { runDate: '2026-11-22' });
    await pruned(root.path, { keepDays: 1 });
    await expect(take(small, root.path)).rejects.toThrow('Against the snapshot of 2026-11-22');
  });
});
