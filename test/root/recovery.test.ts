import fc from 'fast-check';
import { expect, it } from 'vitest';
import { publish, withDay } from '../../src/lake/day.js';
import { LEASE_MS } from '../../src/lake/lease.js';
import { newRunId } from '../../src/lake/paths.js';
import { settle } from '../../src/lake/settle.js';
import { fakeClock } from '../client/fake-clock.js';
import { prepare, RUN_DATE } from './support/day.js';
import { type Death, DyingStorage } from './support/dying-storage.js';
import { expectInOrder, expectReadable } from './support/invariants.js';
import { MemoryStorage } from './support/memory-storage.js';
import { scratchFolder } from './support/scratch-folder.js';
import { harmedStrangers, plantStrangers } from './support/strangers.js';
import { START } from './support/work.js';

const folder = scratchFolder();

const death: fc.Arbitrary<Death> = fc.record({
  at: fc.integer({ min: 1, max: 14 }),
  when: fc.constantFrom('before', 'after'),
});

/** Publishes a snapshot, or dies on the way. @param turn each run begins when the lease of the one before has expired */
async function attempt(storage: MemoryStorage, turn: number, dies?: Death): Promise<void> {
  const clock = fakeClock({ start: START + turn * LEASE_MS });
  const runId = newRunId(clock.now());
  const dying = new DyingStorage(storage, dies);
  const request = { storage: dying, runDate: RUN_DATE, runId, clock };
  await withDay(request, async (day) => {
    const { manifest, files } = await prepare(day, folder.path, [turn + 1, 2]);
    await publish(day, manifest, files);
  }).catch((error: Error) => {
    if (error.message !== 'died') throw error;
  });
}

it('wherever runs of a day died one after the other, it can be read at any moment, and the next run brings it in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(death, { nil: undefined }), { maxLength: 5 }), async (deaths) => {
      const storage = new MemoryStorage();
      plantStrangers(storage);
      for (const [turn, dies] of deaths.entries()) {
        await attempt(storage, turn, dies);
        await expectReadable(storage);
      }
      await attempt(storage, deaths.length);
      await expectInOrder(storage);
      expect(harmedStrangers(storage)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

it('however often it is interrupted, settle comes to what it comes to at once, and changes nothing after that', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(death, { nil: undefined }), { minLength: 1, maxLength: 3 }),
      fc.array(death, { maxLength: 6 }),
      async (deaths, interruptions) => {
        const storage = new MemoryStorage();
        plantStrangers(storage);
        for (const [turn, dies] of deaths.entries()) await attempt(storage, turn, dies);
        const clock = fakeClock({ start: START + 30 * 60 * LEASE_MS }); // after more than a day
        const settled = (root: MemoryStorage | DyingStorage) =>
          settle({ storage: root, runDate: RUN_DATE, clock });
        const atOnce = new MemoryStorage(storage.objects);
        await settled(atOnce);
        for (const interruption of interruptions) {
          await settled(new DyingStorage(storage, interruption)).catch(() => {});
          await expectReadable(storage);
        }
        const last = new DyingStorage(storage);
        await settled(last);
        expect(storage.objects).toEqual(atOnce.objects);
        const again = new DyingStorage(storage);
        await settled(again);
        expect(again.changes).toBe(0);
        expect(harmedStrangers(storage)).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});
