import { describe, expect, it } from 'vitest';
import { chooseSnapshot as chooseToLoad } from '../../connectors/warehouse/source/snapshot-source.js';
import { startFixtureApi } from '../../fixtures/api/index.js';
import type { Clock } from '../../src/index.js';
import { diffSnapshots, LocalStorage, newestWith, prune, readLog, verify } from '../../src/index.js';
import { chooseSnapshot } from '../../src/lake/choose-snapshot.js';
import { newestDates, todayOf } from '../../src/lake/newest-dates.js';
import { clockAt } from '../run/support/clocks.js';
import { RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';

const FUTURE = '2999-12-31';
const EARLIER = '2026-11-22';

/** A root with two days that were read in their time, and one of a wrong clock, with fewer users. */
async function rootWithFuture() {
  const root = await temporaryFolder();
  await using api = await startFixtureApi({ sizes: [40] });
  await using fewer = await startFixtureApi({ sizes: [15] });
  await take(api, root.path, { runDate: EARLIER });
  await take(api, root.path, { runDate: RUN_DATE });
  await take(fewer, root.path, { runDate: FUTURE, force: true });
  return Object.assign(root, { storage: new LocalStorage(root.path) });
}

describe('a day that is dated later than today', () => {
  it('is the newest for nobody who asks for the newest', async () => {
    await using root = await rootWithFuture();
    const { storage } = root;
    const log = await readLog(storage);
    const streams = ['users'];
    const { runDates, findings } = await verify({ storage });
    expect([runDates.map(({ runDate }) => runDate), findings]).toEqual([[RUN_DATE], []]);
    const { from, to } = await diffSnapshots({ storage, scratch: root.path });
    expect([from.run_date, to.run_date]).toEqual([EARLIER, RUN_DATE]);
    expect((await chooseSnapshot(storage, undefined)).run_date).toBe(RUN_DATE);
    expect((await newestWith({ storage, log, streams }))?.run_date).toBe(RUN_DATE);
    const loaded = await chooseToLoad({ storage, runDate: 'latest', streams, allowIncomplete: false });
    expect(loaded.manifest.run_date).toBe(RUN_DATE);
    const { kept } = await prune({ storage, keepDays: 1, dryRun: true });
    expect(kept.map(({ runDate }) => runDate)).toContain(RUN_DATE);
  });

  it('is no excuse for the guard, whatever day is published', async () => {
    await using root = await rootWithFuture();
    await using fewest = await startFixtureApi({ sizes: [12] });
    for (const runDate of [todayOf({ now: Date.now } as Clock), FUTURE, '2999-12-30'])
      await expect(take(fewest, root.path, { runDate })).rejects.toMatchObject({
        code: 'shrink_refused',
        message: expect.stringContaining('there are 12 users where 40 were'),
      });
  });

  it('is read by who names it', async () => {
    await using root = await rootWithFuture();
    const { storage } = root;
    const { runDates } = await verify({ storage, runDate: FUTURE });
    expect(runDates.map(({ runDate }) => runDate)).toEqual([FUTURE]);
    expect((await chooseSnapshot(storage, FUTURE)).run_date).toBe(FUTURE);
    const { from, to } = await diffSnapshots({ storage, scratch: root.path, to: FUTURE });
    expect([from.run_date, to.run_date]).toEqual([RUN_DATE, FUTURE]);
  });

  it('is the newest from that day on', async () => {
    await using root = await rootWithFuture();
    const log = await readLog(root.storage);
    expect(newestDates(log, clockAt(`${FUTURE}T00:00:00Z`))).toEqual([FUTURE, RUN_DATE, EARLIER]);
    expect(newestDates(log, clockAt('2999-12-30T23:59:59Z'))).toEqual([RUN_DATE, EARLIER]);
    const clock = clockAt(`${FUTURE}T00:00:00Z`);
    expect((await chooseSnapshot(root.storage, undefined, clock)).run_date).toBe(FUTURE);
    expect((await verify({ storage: root.storage, clock })).runDates[0]?.runDate).toBe(FUTURE);
  });

  it('is not passed over without a word where there is no other', async () => {
    await using root = await temporaryFolder();
    await using api = await startFixtureApi({ sizes: [1] });
    await take(api, root.path, { runDate: FUTURE });
    const storage = new LocalStorage(root.path);
    await expect(chooseSnapshot(storage, undefined)).rejects.toThrow('is dated later than today');
    expect((await verify({ storage })).runDates.map(({ runDate }) => runDate)).toEqual([FUTURE]);
  });
});
