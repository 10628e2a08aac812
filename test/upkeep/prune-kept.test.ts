import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LocalStorage, readManifest } from '../../src/index.js';
import { acquireLease, LEASE_MS } from '../../src/lake/lease.js';
import { moved, stoppedAt } from '../run/support/clocks.js';
import { filesBelow, take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import {
  DAYS,
  datesBelow,
  datesOf,
  dayRoots,
  findings,
  noon,
  pruned,
  statusOf,
  TODAY,
  takeDays,
} from './support/days.js';

const days = dayRoots();

describe('pruning never removes', () => {
  it('the newest complete snapshot of a stream, stream by stream', async () => {
    await using root = await temporaryFolder();
    const dates = [
      ['2026-11-17', { streams: ['roles'] }],
      ['2026-11-18', { streams: ['organizations', 'users', 'roles'] }],
      ['2026-11-19', {}],
      ['2026-11-20', { streams: ['organizations'] }],
      ['2026-11-21', { org: [uuidOf(days.api, 0)] }],
    ] as const;
    for (const [runDate, settings] of dates)
      await take(days.api, root.path, { runDate, ...JSON.parse(JSON.stringify(settings)) });
    const result = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(result.pruned)).toEqual(['2026-11-17', '2026-11-21']);
    expect(result.kept.map(({ runDate, reasons }) => [runDate, reasons])).toEqual([
      ['2026-11-18', [{ rule: 'newest', detail: 'roles' }]],
      ['2026-11-19', [{ rule: 'newest', detail: 'users' }]],
      ['2026-11-20', [{ rule: 'newest', detail: 'organizations' }]],
    ]);
  });

  it('the newest of all where none is complete', async () => {
    await using root = await temporaryFolder();
    for (const runDate of ['2026-11-20', '2026-11-21'])
      await take(days.api, root.path, { runDate, org: [uuidOf(days.api, 0)] });
    const result = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(result.pruned)).toEqual(['2026-11-20']);
    expect(result.kept).toMatchObject([
      { runDate: '2026-11-21', reasons: [{ rule: 'newest', detail: 'of all, and none is complete' }] },
    ]);
  });

  it('the newest complete snapshot of the past for the sake of one with a date of the future', async () => {
    await using root = await temporaryFolder();
    await takeDays(days.api, root.path, ['2026-11-20', '2062-11-21']);
    const result = await pruned(root.path, { keepDays: 1 });
    expect(result.kept).toMatchObject([
      { runDate: '2026-11-20', reasons: [{ rule: 'newest', detail: 'organizations, users' }] },
      { runDate: '2062-11-21', reasons: [{ rule: 'future', detail: '' }] },
    ]);
  });

  it('the newest complete snapshot that can be read for the sake of one that cannot', async () => {
    await using root = await temporaryFolder();
    await takeDays(days.api, root.path, ['2026-11-19', '2026-11-20', '2026-11-22']);
    const { run_id } = (await readManifest(new LocalStorage(root.path), '2026-11-22')) ?? {};
    await writeFile(join(root.path, `_runs/run_date=2026-11-22/${run_id}.json`), '{}');
    const result = await pruned(root.path, { keepDays: 1 });
    expect(datesOf(result.pruned)).toEqual(['2026-11-19']);
    expect(result.kept).toMatchObject([{ runDate: '2026-11-20', reasons: [{ rule: 'newest' }] }]);
    expect(result.failed).toMatchObject([
      { runDate: '2026-11-22', code: 'manifest_differs', failure: 'system' },
    ]);
  });

  it('what nobody published', async () => {
    await using root = await days.rootWith('four');
    await mkdir(join(root.path, 'users/run_date=2026-01-01'));
    await writeFile(join(root.path, 'users/run_date=2026-01-01/mine.ndjson'), '{}\n');
    expect(datesOf((await pruned(root.path, { keepDays: 1 })).pruned)).toEqual(DAYS.slice(0, 3));
    expect(await datesBelow(root.path)).toEqual([TODAY, '2026-01-01']);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['lacks an entry', (path) => rm(path)],
    ['was changed', async (path) => writeFile(path, (await readFile(path, 'utf8')).replace('T', 'U'))],
  ])('anything by a log that %s', async (_, damage) => {
    await using root = await days.rootWith('four');
    await damage(join(root.path, '_runs/log/00000002.json'));
    const before = await filesBelow(root.path);
    for (const dryRun of [true, false])
      await expect(pruned(root.path, { keepDays: 1, dryRun })).rejects.toMatchObject({ code: 'log_damaged' });
    expect(await filesBelow(root.path)).toEqual(before);
  });
});

describe('pruning keeps a day for now, and says so,', () => {
  it('while another run works on it, and prunes the others', async () => {
    await using root = await days.rootWith('four');
    const storage = new LocalStorage(root.path);
    const lease = await acquireLease({ storage, runDate: '2026-11-20', runId: 'another', clock: noon });
    const result = await pruned(root.path, { keepDays: 2 });
    await lease.release();
    expect(datesOf(result.pruned)).toEqual(['2026-11-21']);
    expect(result.failed).toMatchObject([{ runDate: '2026-11-20', code: 'locked', failure: 'transient' }]);
    expect(await statusOf(root.path, '2026-11-20')).toBe('complete');
  });

  it('when it stood still until another run had changed the day', async () => {
    await using root = await days.rootWith('two');
    const later = stoppedAt(`${TODAY}T13:00:00Z`);
    class Sleeper extends LocalStorage {
      override async create(key: string, bytes: Uint8Array): Promise<boolean> {
        if (key === '_runs/log/00000003.json')
          await take(days.api, root.path, { runDate: '2026-11-20', clock: later });
        return await super.create(key, bytes);
      }
    }
    const result = await pruned(root.path, { keepDays: 1, storage: new Sleeper(root.path) });
    expect(result.failed).toMatchObject([{ runDate: '2026-11-20', failure: 'transient' }]);
    expect(await statusOf(root.path, '2026-11-20')).toBe('complete');
    expect(await findings(root.path)).toEqual([]);
  });

  it('when its manifest was changed, which it does not hide', async () => {
    await using root = await days.rootWith('two');
    const { run_id } = (await readManifest(new LocalStorage(root.path), '2026-11-20')) ?? {};
    const path = join(root.path, `_runs/run_date=2026-11-20/${run_id}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rows": 3', '"rows": 2'));
    const { failed } = await pruned(root.path, { keepDays: 1 });
    expect(failed).toMatchObject([{ runDate: '2026-11-20', code: 'manifest_differs' }]);
    expect(await findings(root.path)).toMatchObject([{ runDate: '2026-11-20', problem: 'log' }]);
  });

  it('when it stopped after the commit: the next run of any day removes the rest of the files', async () => {
    await using root = await days.rootWith('two');
    class Stopped extends LocalStorage {
      override remove(key: string): Promise<void> {
        return key.startsWith('users') ? Promise.reject(new Error('stopped')) : super.remove(key);
      }
    }
    const stopped = pruned(root.path, { keepDays: 1, storage: new Stopped(root.path) });
    await expect(stopped).rejects.toThrow('stopped');
    expect(await statusOf(root.path, '2026-11-20')).toBe('pruned');
    const left = { problem: 'unreferenced', detail: expect.stringContaining('the snapshot was pruned') };
    expect(await findings(root.path)).toMatchObject([left, left]);
    await take(days.api, root.path, { runDate: '2026-11-24', clock: moved(LEASE_MS) });
    expect(await findings(root.path)).toEqual([]);
    expect(await datesBelow(root.path)).toEqual([TODAY, '2026-11-24']);
  });
});
