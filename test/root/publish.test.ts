import { describe, expect, it } from 'vitest';
import { publish } from '../../src/lake/day.js';
import { LEASE_MS } from '../../src/lake/lease.js';
import { readLog } from '../../src/lake/log.js';
import { type Manifest, manifestFiles } from '../../src/lake/manifest.js';
import { readManifest } from '../../src/lake/manifest-file.js';
import { leaseKey, logKey, manifestKey } from '../../src/lake/paths.js';
import { prepare, RUN_DATE } from './support/day.js';
import { FailingStorage, type Fails, failOnce } from './support/failing-storage.js';
import { MemoryStorage } from './support/memory-storage.js';
import { scratchFolder } from './support/scratch-folder.js';
import { filesOfRun, publishNew, SURELY_DEAD, work } from './support/work.js';

const folder = scratchFolder();
const pathsOf = (manifest: Manifest): string[] => manifestFiles(manifest).map(({ path }) => path);
const dataOf = (storage: MemoryStorage): string[] =>
  [...storage.objects.keys()].filter((key) => !key.startsWith('_'));

/** Publishes a snapshot while some calls fail. */
async function publishFailing(storage: FailingStorage, fails: Fails): Promise<{ run: string }> {
  let run = '';
  const failed = work(storage, async (day) => {
    run = day.runId;
    storage.fails = fails;
    return await publishNew(folder)(day);
  });
  await expect(failed).rejects.toMatchObject({ code: 'unreachable' });
  storage.fails = () => false;
  return { run };
}

const isUsersFile: Fails = (call, key) => call === 'put' && key.startsWith('users/');

describe('a publication', () => {
  it('puts its files, then its manifest, then its log entry, and then removes what it replaces', async () => {
    const storage = new FailingStorage();
    const first = await work(storage, publishNew(folder));
    const calls: string[] = [];
    storage.fails = (call, key) => {
      if (call !== 'created' && !key.includes('leases')) calls.push(`${call} ${key}`);
      return false;
    };
    const second = await work(storage, publishNew(folder));
    const removals = calls.splice(-3);
    expect(calls).toEqual([
      ...pathsOf(second).map((path) => `put ${path}`),
      `create ${manifestKey(RUN_DATE, second.run_id)}`,
      `create ${logKey(2)}`,
    ]);
    expect(removals.sort()).toEqual(
      pathsOf(first)
        .map((path) => `remove ${path}`)
        .sort(),
    );
  });

  it.each<[string, Fails]>([
    ['one of its files', isUsersFile],
    ['its manifest', (call, key) => call === 'create' && key.startsWith('_runs/run_date=')],
    ['its log entry', (call, key) => call === 'create' && key === logKey(2)],
  ])('that cannot write %s leaves nothing behind', async (_, fails) => {
    const storage = new FailingStorage();
    const manifest = await work(storage, publishNew(folder));
    const { run } = await publishFailing(storage, failOnce(fails));
    expect(filesOfRun(storage, run)).toEqual([]);
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
    expect(storage.objects.has(leaseKey(RUN_DATE))).toBe(false);
  });

  it('that was stopped before its commit leaves nothing behind, and no log entry', async () => {
    const stop = new AbortController();
    class Stopping extends MemoryStorage {
      override async put(...args: Parameters<MemoryStorage['put']>): Promise<void> {
        await super.put(...args);
        stop.abort(new Error('stopped'));
      }
    }
    const storage = new Stopping();
    await expect(work(storage, publishNew(folder, stop.signal))).rejects.toThrow('stopped');
    expect([...storage.objects.keys()]).toEqual([]);
  });

  it('that got through although the answer to its commit was lost is left as it is', async () => {
    const storage = new FailingStorage();
    const isLost: Fails = (call, key) => call === 'created' && key === logKey(1);
    const { run } = await publishFailing(storage, isLost);
    const manifest = (await readManifest(storage, RUN_DATE)) as Manifest;
    expect(manifest.run_id).toBe(run);
    expect(dataOf(storage).sort()).toEqual(pathsOf(manifest).sort());
    expect(await readLog(storage)).toHaveLength(1);
  });

  it('that is a conflict removes its files, and keeps those of the other run', async () => {
    const storage = new MemoryStorage();
    let other: Manifest | undefined;
    const late = work(storage, async (day) => {
      const { manifest, files } = await prepare(day, folder.path);
      other = await work(storage, publishNew(folder), { later: LEASE_MS });
      await publish(day, manifest, files);
    });
    await expect(late).rejects.toMatchObject({ name: 'LockedError', exitCode: 75 });
    expect(await readManifest(storage, RUN_DATE)).toEqual(other);
    expect(dataOf(storage).sort()).toEqual(pathsOf(other as Manifest).sort());
  });

  const isRemoval: Fails = (call, key) => call === 'remove' && !key.includes('leases');
  it.each<[string, Fails, number]>([
    ['cannot remove what it replaces', isRemoval, 6],
    ['fails, and cannot remove its own files', (...call) => isRemoval(...call) || isUsersFile(...call), 4],
  ])('that %s leaves its lease, by which the next run of any day finds the files', async (_, fails, left) => {
    const storage = new FailingStorage();
    await work(storage, publishNew(folder));
    await publishFailing(storage, fails);
    expect(dataOf(storage)).toHaveLength(left);
    await work(storage, async () => {}, { runDate: '2026-11-20', later: SURELY_DEAD });
    const current = (await readManifest(storage, RUN_DATE)) as Manifest;
    expect(dataOf(storage).sort()).toEqual(pathsOf(current).sort());
    expect(storage.objects.has(leaseKey(RUN_DATE))).toBe(false);
  });
});
