import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { abandon, commit } from '../../src/lake/commit.js';
import type { Day } from '../../src/lake/day.js';
import { currentOf, readLog } from '../../src/lake/log.js';
import type { Manifest } from '../../src/lake/manifest.js';
import { readManifest } from '../../src/lake/manifest-file.js';
import { LOG, logKey, manifestKey, newRunId } from '../../src/lake/paths.js';
import type { Storage } from '../../src/storage/storage.js';
import { manifestOf, openDay, RUN_DATE } from './support/day.js';
import { MemoryStorage } from './support/memory-storage.js';
import { ScheduledStorage } from './support/scheduled-storage.js';

const clock = systemClock;

const commitDay = async (day: Day, storage: Storage = day.storage): Promise<Manifest> => {
  const manifest = manifestOf(day);
  await commit({ storage, manifest, expected: day.expected, clock });
  return manifest;
};

const actionsOf = async (storage: Storage) =>
  (await readLog(storage)).map(({ entry }) => [entry?.action, entry?.run_id]);

const abandonRun = (storage: Storage, deadRun: string, runDate = RUN_DATE) =>
  abandon({ storage, runDate, deadRun, runId: newRunId(clock.now()), clock });

describe('a commit', () => {
  it('makes a manifest the current one of its day by one log entry, which names it by its SHA-256', async () => {
    const storage = new MemoryStorage();
    const first = await commitDay(await openDay(storage));
    const day = await openDay(storage);
    const second = await commitDay(day);
    expect(await readManifest(storage, RUN_DATE)).toEqual(second);
    expect(second.replaces).toEqual({ run_id: first.run_id, manifest_sha256: day.current?.sha256 });
    const [, entry] = (await readLog(storage)).map((stored) => stored.entry);
    expect(entry).toMatchObject({ action: 'publish', run_id: second.run_id, replaces: first.run_id });
  });

  it('keeps every manifest under a name of its own', async () => {
    const storage = new MemoryStorage();
    const manifests = [];
    for (let i = 0; i < 3; i += 1) manifests.push(await commitDay(await openDay(storage)));
    for (const manifest of manifests)
      expect(JSON.parse(storage.text(manifestKey(RUN_DATE, manifest.run_id)) ?? '')).toEqual(manifest);
  });

  it('is a conflict, to be tried again, when another run changed the day meanwhile', async () => {
    const storage = new MemoryStorage();
    const late = await openDay(storage);
    const manifest = await commitDay(await openDay(storage));
    await expect(commitDay(late)).rejects.toMatchObject({
      name: 'LockedError',
      code: 'commit_conflict',
      exitCode: 75,
      message: expect.stringContaining(`Another run changed ${RUN_DATE} in memory://root meanwhile`),
    });
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
  });

  it('is none when another day was changed meanwhile', async () => {
    const storage = new MemoryStorage();
    const late = await openDay(storage);
    for (const runDate of ['2026-11-21', '2026-11-22']) await commitDay(await openDay(storage, { runDate }));
    const manifest = await commitDay(late);
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
    expect(await readLog(storage)).toHaveLength(3);
  });

  it('is made once when an earlier attempt, whose answer was lost, got through', async () => {
    class Forgetful extends MemoryStorage {
      override async create(key: string, bytes: Uint8Array): Promise<boolean> {
        const isCreated = await super.create(key, bytes);
        return key.startsWith(LOG) ? false : isCreated;
      }
    }
    const storage = new Forgetful();
    const manifest = await commitDay(await openDay(storage));
    expect(await actionsOf(storage)).toEqual([['publish', manifest.run_id]]);
  });

  it('never replaces a manifest', async () => {
    const storage = new MemoryStorage();
    const day = await openDay(storage);
    await commitDay(day);
    const before = new Map(storage.objects);
    await expect(commitDay({ ...(await openDay(storage)), runId: day.runId })).rejects.toMatchObject({
      code: 'name_taken',
    });
    expect(storage.objects).toEqual(before);
  });

  it('and an abandon entry are refused by a log that is damaged', async () => {
    const storage = new MemoryStorage();
    for (let i = 0; i < 3; i += 1) await commitDay(await openDay(storage));
    const day = await openDay(storage);
    storage.objects.delete(logKey(2));
    await expect(commitDay(day)).rejects.toMatchObject({ code: 'log_damaged' });
    await expect(abandonRun(storage, 'dead')).rejects.toMatchObject({ code: 'log_damaged' });
    const entries = [...storage.objects.keys()].filter((key) => key.startsWith(LOG));
    expect(entries).toEqual([logKey(1), logKey(3)]);
  });
});

describe('a run that was abandoned', () => {
  it('can never commit, and what is current stays current', async () => {
    const storage = new MemoryStorage();
    const manifest = await commitDay(await openDay(storage));
    const asleep = await openDay(storage);
    await abandonRun(storage, asleep.runId);
    await expect(commitDay(asleep)).rejects.toMatchObject({ code: 'commit_conflict' });
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
  });

  it('cannot commit either when it reads the head of its day only after that', async () => {
    const storage = new MemoryStorage();
    const runId = newRunId(clock.now());
    await abandonRun(storage, runId);
    const asleep = await openDay(storage, { runId });
    await expect(commitDay(asleep)).rejects.toMatchObject({ code: 'commit_conflict' });
    expect(await readManifest(storage, RUN_DATE)).toBeUndefined();
  });

  it('cannot abandon another one, which may be its successor', async () => {
    const storage = new MemoryStorage();
    await abandonRun(storage, 'asleep');
    const successor = abandon({ storage, runDate: RUN_DATE, deadRun: 'successor', runId: 'asleep', clock });
    await expect(successor).rejects.toMatchObject({ code: 'commit_conflict', exitCode: 75 });
    expect(await readLog(storage)).toHaveLength(1);
  });

  it('is abandoned once, and by its day', async () => {
    const storage = new MemoryStorage();
    for (const runDate of [RUN_DATE, RUN_DATE, '2026-11-22']) await abandonRun(storage, 'dead', runDate);
    const entries = (await readLog(storage)).map(({ entry }) => [entry?.run_date, entry?.replaces]);
    expect(entries).toEqual([
      [RUN_DATE, 'dead'],
      ['2026-11-22', 'dead'],
    ]);
  });

  it('is not abandoned when it has committed', async () => {
    const storage = new MemoryStorage();
    const manifest = await commitDay(await openDay(storage));
    await abandonRun(storage, manifest.run_id);
    expect(await actionsOf(storage)).toEqual([['publish', manifest.run_id]]);
  });
});

describe('in whatever order the steps of several runs follow each other,', () => {
  it('one of four commits of a day succeeds, and the others are conflicts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const storage = new MemoryStorage();
        const days = await Promise.all(Array.from({ length: 4 }, () => openDay(storage)));
        const commits = Promise.allSettled(
          days.map((day, i) => commitDay(day, new ScheduledStorage(storage, scheduler, `run ${i}`))),
        );
        await scheduler.waitFor(commits);
        const results = await commits;
        const winners = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
        expect(winners).toHaveLength(1);
        for (const result of results)
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'commit_conflict' });
        expect(await readManifest(storage, RUN_DATE)).toEqual(winners[0]);
        expect(await readLog(storage)).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });

  it('four commits of four days all succeed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const storage = new MemoryStorage();
        const dates = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'];
        const days = await Promise.all(dates.map((runDate) => openDay(storage, { runDate })));
        const commits = Promise.all(
          days.map((day, i) => commitDay(day, new ScheduledStorage(storage, scheduler, `run ${i}`))),
        );
        await scheduler.waitFor(commits);
        for (const manifest of await commits)
          expect(await readManifest(storage, manifest.run_date)).toEqual(manifest);
      }),
    );
  });

  it('a run either commits or is abandoned, never both', async () => {
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const storage = new MemoryStorage();
        const day = await openDay(storage);
        const committed = commitDay(day, new ScheduledStorage(storage, scheduler, 'run')).then(
          () => true,
          () => false,
        );
        const abandoned = abandonRun(new ScheduledStorage(storage, scheduler, 'successor'), day.runId);
        await scheduler.waitFor(Promise.all([committed, abandoned]));
        const actions = (await actionsOf(storage)).map(([action]) => action);
        expect(actions).toEqual([(await committed) ? 'publish' : 'abandon']);
        expect(currentOf(await readLog(storage), RUN_DATE) !== undefined).toBe(await committed);
        outcomes.add(String(actions));
      }),
      { numRuns: 200 },
    );
    expect([...outcomes].sort()).toEqual(['abandon', 'publish']);
  });
});
