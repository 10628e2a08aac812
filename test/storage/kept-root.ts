import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { compact, type Manifest, prune, type Storage, systemClock, verify } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships, take } from '../snapshot/tree.js';
import { listing } from './contract.js';

const DAYS = ['2026-11-22', '2026-11-23'] as const;
const [OLD, NEW] = DAYS;

/** What is done with snapshots once they are published, on any storage; `open` gives a root that is empty. */
export function keptRootContract(open: () => Promise<Storage>): void {
  let api: FixtureApi;
  let state: string;
  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [30, 0, 1200, 5], awkward: true });
    state = await mkdtemp(join(tmpdir(), 'kept-root-'));
  });
  afterAll(async () => {
    await api.close();
    await rm(state, { recursive: true, force: true });
  });

  const takeDays = async (storage: Storage): Promise<void> => {
    for (const runDate of DAYS) await take(api, '', { storage, state, runDate });
  };
  const usersIn = async (storage: Storage, runDate: string): Promise<string[]> =>
    Object.keys(await listing(storage, `users/run_date=${runDate}`));
  const expectServed = async (storage: Storage, manifest: Manifest): Promise<void> => {
    const found = memberships(await rowsOf(storage, manifest, 'users'));
    expect(found.sort()).toEqual(servedMemberships(api).sort());
    expect((await verify({ storage, all: true })).findings).toEqual([]);
    expect(await readdir(state)).toEqual(['tmp']);
  };

  describe('a root with published snapshots', () => {
    it('has a day laid out anew, there and back, with every row', async () => {
      const storage = await open();
      await takeDays(storage);
      const before = await listing(storage, 'users');
      const there = await compact({ storage, state, runDate: OLD });
      expect(await usersIn(storage, OLD)).toEqual([`users/run_date=${OLD}/part-00000.ndjson`]);
      await expectServed(storage, there.manifest);
      const back = await compact({ storage, state, runDate: OLD, layout: 'per-org' });
      expect(await listing(storage, 'users')).toEqual(before);
      await expectServed(storage, back.manifest);
    });

    it('loses the files of an old day, and nothing else', async () => {
      const storage = await open();
      await takeDays(storage);
      const before = await listing(storage, 'users');
      const clock = { ...systemClock, now: () => Date.parse(`${NEW}T00:00:00Z`) };
      const { pruned, left } = await prune({ storage, keepDays: 1, clock });
      expect({ dates: pruned.map(({ runDate }) => runDate), left }).toEqual({ dates: [OLD], left: [] });
      const kept = Object.entries(before).filter(([key]) => !key.includes(OLD));
      expect(await listing(storage, 'users')).toEqual(Object.fromEntries(kept));
      expect(await listing(storage, `organizations/run_date=${OLD}`)).toEqual({});
      const { runDates, findings } = await verify({ storage, all: true });
      expect(findings).toEqual([]);
      expect(runDates.map(({ status }) => status)).toEqual(['complete', 'pruned']);
    });
  });
}
