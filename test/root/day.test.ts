import { describe, expect, it } from 'vitest';
import { withDay } from '../../src/lake/day.js';
import { acquireLease, LEASE_MS } from '../../src/lake/lease.js';
import { readLog } from '../../src/lake/log.js';
import { readManifest } from '../../src/lake/manifest-file.js';
import { leaseKey, manifestKey, newRunId } from '../../src/lake/paths.js';
import type { Storage } from '../../src/storage/storage.js';
import { fakeClock } from '../client/fake-clock.js';
import { RUN_DATE, TABLES } from './support/day.js';
import { MemoryStorage } from './support/memory-storage.js';
import { scratchFolder } from './support/scratch-folder.js';
import { die, filesOfRun, publishNew, START, SURELY_DEAD, work } from './support/work.js';

const OTHER_DATE = '2026-11-20';
const folder = scratchFolder();

const entriesOf = async (storage: Storage) =>
  (await readLog(storage)).map(({ entry }) => [entry?.action, entry?.run_date, entry?.replaces]);

describe('the work on a day', () => {
  it('has the lease of the day, and releases it at the end, also when it fails', async () => {
    const storage = new MemoryStorage();
    await work(storage, async (day) => {
      expect(JSON.parse(storage.text(leaseKey(RUN_DATE)) ?? '{}').run_id).toBe(day.runId);
    });
    await expect(work(storage, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(storage.objects.size).toBe(0);
  });

  it('begins with what is current, and with the head that a commit expects', async () => {
    const storage = new MemoryStorage();
    const first = await work(storage, publishNew(folder));
    await work(storage, publishNew(folder), { runDate: OTHER_DATE });
    await work(storage, async ({ current, expected, log }) => {
      expect([current?.manifest, expected, log.length]).toEqual([first, 1, 2]);
    });
  });

  it('ends with the reason of its lease when that was taken over, whatever it fails with', async () => {
    const storage = new MemoryStorage();
    const clock = fakeClock({ start: START });
    const request = { storage, runDate: RUN_DATE, runId: newRunId(START), tables: TABLES, clock };
    const run = withDay(request, async (_, signal) => {
      await work(storage, async () => {}, { later: LEASE_MS });
      await clock.sleep(LEASE_MS, signal);
    });
    await expect(clock.run(run)).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
  });

  it('does not begin when the storage cannot create an object only if it is absent', async () => {
    class Careless extends MemoryStorage {
      probe = () => Promise.reject(new Error('ignored'));
    }
    const storage = new Careless();
    await expect(work(storage, async () => {})).rejects.toThrow('ignored');
    expect(storage.objects.size).toBe(0);
  });
});

describe('a run that died', () => {
  it('is abandoned by the next one of its day, and its files are removed, before that one begins', async () => {
    const storage = new MemoryStorage();
    const dead = await work(storage, die(folder));
    expect(filesOfRun(storage, dead)).toHaveLength(1);
    const next = async () => expect(filesOfRun(storage, dead)).toEqual([]);
    await work(storage, next, { later: LEASE_MS });
    expect(await entriesOf(storage)).toEqual([['abandon', RUN_DATE, dead]]);
  });

  it('is abandoned also when it has left no file: it may be asleep before its first one', async () => {
    const storage = new MemoryStorage();
    const asleep = await work(storage, async (day) => {
      day.lease.keep();
      return day;
    });
    const manifest = await work(storage, publishNew(folder), { later: LEASE_MS });
    expect((await entriesOf(storage))[0]).toEqual(['abandon', RUN_DATE, asleep.runId]);
    await expect(publishNew(folder)(asleep)).rejects.toMatchObject({ code: 'commit_conflict' });
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
    expect(filesOfRun(storage, asleep.runId)).toEqual([]);
  });

  it('is abandoned by the next one of any day, which tidies its lease away', async () => {
    const storage = new MemoryStorage();
    const manifest = await work(storage, publishNew(folder), { runDate: OTHER_DATE });
    const dead = await work(storage, die(folder), { runDate: OTHER_DATE });
    await work(storage, publishNew(folder), { later: SURELY_DEAD });
    expect(filesOfRun(storage, dead)).toEqual([]);
    expect(await readManifest(storage, OTHER_DATE)).toEqual(manifest);
    expect(await entriesOf(storage)).toEqual([
      ['publish', OTHER_DATE, null],
      ['abandon', OTHER_DATE, dead],
      ['publish', RUN_DATE, null],
    ]);
    expect([...storage.objects.keys()].filter((key) => key.includes('leases'))).toEqual([]);
  });

  it('is not abandoned by a run of another day as long as it may be alive', async () => {
    const storage = new MemoryStorage();
    const other = await work(storage, die(folder), { runDate: OTHER_DATE });
    const before = [storage.text(leaseKey(OTHER_DATE)), filesOfRun(storage, other)];
    await work(storage, publishNew(folder), { later: SURELY_DEAD - 1 });
    expect([storage.text(leaseKey(OTHER_DATE)), filesOfRun(storage, other)]).toEqual(before);
  });

  it('keeps nobody from another day, even when the manifest of its own is damaged', async () => {
    const storage = new MemoryStorage();
    const { run_id } = await work(storage, publishNew(folder), { runDate: OTHER_DATE });
    await work(storage, die(folder), { runDate: OTHER_DATE });
    storage.plant(manifestKey(OTHER_DATE, run_id), '{}');
    const manifest = await work(storage, publishNew(folder), { later: SURELY_DEAD });
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
  });

  it('is not forgotten when the one that took over its lease died before it did anything', async () => {
    const storage = new MemoryStorage();
    const dead = await work(storage, die(folder));
    const clock = fakeClock({ start: START + LEASE_MS });
    const runId = newRunId(clock.now());
    const lease = await acquireLease({ storage, runDate: RUN_DATE, runId, clock });
    lease.keep();
    await lease.release();
    await work(storage, async () => {}, { later: 2 * LEASE_MS });
    expect(filesOfRun(storage, dead)).toEqual([]);
  });
});
