import { afterAll, expect, it } from 'vitest';
import { createSink, type Storage, snapshot } from '../../src/index.js';
import { MemoryStorage } from '../root/support/memory-storage.js';
import { clockAt, LATER, NOON } from './support/clock-at.js';
import { RUN_DATE } from './support/commands.js';
import { currentEntries } from './support/contents.js';
import { mortal } from './support/mortal.js';
import { prefixed, rootAt } from './support/prefixed.js';
import { expectSettled } from './support/repair.js';
import { ROWS_PER_FILE, type Served, serve } from './support/served.js';
import { temporaryState } from './support/state.js';

const small = await serve([2, 5, 0]);
const large = await serve([25, 0, 3]);
const states = await temporaryState();
afterAll(async () => {
  for (const each of [small, large, states]) await each[Symbol.asyncDispose]();
});
const served = { [RUN_DATE]: [small.ids, large.ids] };

/** The rows of the other format are not read here. */
const EXCEPT = { ndjson: [], csv: ['one snapshot', 'a true copy'] };
const FORMATS = ['ndjson', 'csv'] as const;

const dumpBoth = async ({ client }: Served, storage: Storage, state: string, now = NOON) => {
  const [first, second] = FORMATS.map((format) => ({
    sink: createSink(format),
    storage: prefixed(storage, format),
  }));
  if (!first || !second) throw new TypeError('there are two formats');
  const settings = {
    runDate: RUN_DATE,
    backDated: true,
    rowsPerFile: ROWS_PER_FILE,
    concurrency: 1,
    maxShrink: 100,
  };
  return await snapshot({ ...first, alsoTo: [second], client, state, clock: clockAt(now), ...settings });
};

async function expectIntact(storage: Storage): Promise<void> {
  for (const format of FORMATS) {
    const root = await rootAt(storage, format);
    expect(await root.wrongNow(served, EXCEPT[format]), format).toEqual([]);
  }
}

async function expectEnd(storage: Storage): Promise<void> {
  await expectIntact(storage);
  for (const format of FORMATS) {
    const root = await rootAt(storage, format);
    await expectSettled(root);
    expect(currentEntries(await root.contents()).get(RUN_DATE)?.action).toBe('publish');
  }
}

it('a dump of two formats that dies at any step leaves each root with the old snapshot or the new one, and is resumed or repaired', async () => {
  const start = new MemoryStorage();
  await dumpBoth(small, start, states.fresh());
  for (let at = 1; ; at += 1) {
    const storage = new MemoryStorage(start.objects);
    const state = states.fresh();
    const victim = mortal(storage, { at, mishap: 'dies before' });
    await dumpBoth(large, victim.storage, state).catch(() => undefined);
    if (!victim.step) {
      expect(at).toBeGreaterThan(25);
      return;
    }
    await expectIntact(storage);

    const elsewhere = new MemoryStorage(storage.objects);
    await dumpBoth(small, elsewhere, states.fresh(), NOON + LATER);
    await expectEnd(elsewhere);

    await dumpBoth(large, storage, state, NOON + LATER);
    await expectEnd(storage);
  }
});
