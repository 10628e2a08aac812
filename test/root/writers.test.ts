import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LocalStorage, verify } from '../../src/index.js';
import { type Day, publish, withDay } from '../../src/lake/day.js';
import { LEASE_MS } from '../../src/lake/lease.js';
import { readLog } from '../../src/lake/log.js';
import { type Manifest, manifestFiles } from '../../src/lake/manifest.js';
import { readManifest } from '../../src/lake/manifest-file.js';
import { newRunId } from '../../src/lake/paths.js';
import type { Storage } from '../../src/storage/storage.js';
import { fakeClock } from '../client/fake-clock.js';
import { rowsOf } from '../run/support/tree.js';
import { openDay, prepare, RUN_DATE, TABLES } from './support/day.js';
import { expectInOrder, expectReadable } from './support/invariants.js';
import { MemoryStorage } from './support/memory-storage.js';
import { ScheduledStorage } from './support/scheduled-storage.js';
import { scratchFolder } from './support/scratch-folder.js';
import { die, publishNew, START, work } from './support/work.js';

const folder = scratchFolder();

async function publishAs(day: Day, staged: string, sizes: readonly number[]): Promise<Manifest> {
  const { manifest, files } = await prepare(day, staged, sizes);
  await publish(day, manifest, files);
  return manifest;
}

async function dataKeys(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for (const table of ['organizations', 'users'])
    for await (const { key } of storage.list(table)) keys.push(key);
  return keys.sort();
}

/** One won, the others are conflicts, and the root holds the files of the winner and no others. */
async function expectOneWinner(
  results: readonly PromiseSettledResult<Manifest>[],
  storage: Storage,
): Promise<void> {
  const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(winners).toHaveLength(1);
  for (const error of losers)
    expect(error).toMatchObject({ name: 'LockedError', code: 'commit_conflict', exitCode: 75 });
  const [winner] = winners as [Manifest];
  expect(await readManifest(storage, RUN_DATE)).toEqual(winner);
  expect(await dataKeys(storage)).toEqual(
    manifestFiles(winner)
      .map(({ path }) => path)
      .sort(),
  );
  for (const { id } of await rowsOf(storage, winner, 'users'))
    expect(String(id).split(' ')[0]).toBe(winner.run_id);
}

it('ten times out of ten, one of ten runs that publish a day at once without its lease wins, and there is no mix', async () => {
  const root = join(folder.path, 'root');
  for (let round = 1; round <= 10; round += 1) {
    const days = await Promise.all(Array.from({ length: 10 }, () => openDay(new LocalStorage(root))));
    expect(new Set(days.map(({ expected }) => expected))).toEqual(new Set([round - 1]));
    const staged = join(folder.path, 'staged');
    const results = await Promise.allSettled(
      days.map((day, i) => publishAs(day, staged, [i + 1, 10 * round, 1])),
    );
    const storage = new LocalStorage(root);
    await expectOneWinner(results, storage);
    expect(await readLog(storage)).toHaveLength(round);
    expect((await verify({ storage, all: true })).findings).toEqual([]);
  }
});

it('in whatever order their steps follow each other, one of several writers wins, and there is no mix', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const storage = new MemoryStorage();
      await publishAs(await openDay(storage), folder.path, [1]);
      const days = await Promise.all(Array.from({ length: 3 }, () => openDay(storage)));
      const results = Promise.allSettled(
        days.map((day, i) => {
          const scheduled = new ScheduledStorage(storage, scheduler, `run ${i}`);
          return publishAs({ ...day, storage: scheduled }, folder.path, [i + 1, 1]);
        }),
      );
      await scheduler.waitFor(results);
      await expectOneWinner(await results, storage);
      const current = await readManifest(storage, RUN_DATE);
      expect(JSON.parse(storage.text(`_runs/run_date=${RUN_DATE}/manifest.json`) ?? '')).toEqual(current);
    }),
    { numRuns: 40 },
  );
});

it('whenever a run is taken for dead and its lease taken over, nothing is lost and nothing is mixed', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const storage = new MemoryStorage();
      await work(storage, publishNew(folder));
      await work(storage, die(folder));
      /** For each run the lease of the one before has expired. */
      const run = async (turn: number): Promise<string> => {
        const clock = fakeClock({ start: START + turn * LEASE_MS });
        const scheduled = new ScheduledStorage(storage, scheduler, `run ${turn}`);
        const runId = newRunId(clock.now());
        const request = { storage: scheduled, runDate: RUN_DATE, runId, tables: TABLES, clock };
        return await withDay(request, (day) => publishAs(day, folder.path, [turn, 1])).then(
          () => 'published',
          ({ code }) => code,
        );
      };
      const runs = Promise.all([run(1), run(2)]);
      await scheduler.waitFor(runs);
      for (const outcome of await runs) outcomes.add(outcome);
      await expectReadable(storage);
      await work(storage, publishNew(folder), { later: 3 * LEASE_MS });
      await expectInOrder(storage);
    }),
    { numRuns: 60 },
  );
  expect(outcomes.size).toBeGreaterThan(1);
  for (const outcome of outcomes) expect(['commit_conflict', 'locked', 'published']).toContain(outcome);
});
