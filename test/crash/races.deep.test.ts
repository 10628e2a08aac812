import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { StorageError } from '../../src/index.js';
import { ScheduledStorage } from '../root/support/scheduled-storage.js';
import { clockAt, LATER, NOON } from './support/clock-at.js';
import { type Command, compaction, dump, pruning, RUN_DATE } from './support/commands.js';
import { entriesOf, leaseKeyOf } from './support/contents.js';
import { mortal } from './support/mortal.js';
import { expectSettled, outcomeOf } from './support/repair.js';
import type { Root } from './support/root.js';
import { isCommit as isCommitStep, openScenarios, type Scenario } from './support/scenarios.js';
import { sleeper } from './support/sleeper.js';
import { stepwise } from './support/steps.js';
import { withoutLeases } from './support/without-leases.js';

const opened = await openScenarios();
afterAll(() => opened[Symbol.asyncDispose]());
const { small, large, states, holdsSmall, served, scenarios } = opened;
const leftByDead = scenarios.find(({ name }) => name.includes('died before its commit')) as Scenario;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How a run ended: its error's code, or that it was done. */
const ending = async (run: Promise<unknown>): Promise<string> =>
  await run.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  );

interface Racer {
  command: Command;
  /** By its own clock, milliseconds after noon. */
  at: number;
  /** It sees no lease of others. */
  isBlind?: boolean;
}

/** Lets runs meet in an order that the scheduler chooses. @returns how each ended */
async function race(root: Root, scheduler: fc.Scheduler, racers: readonly Racer[]): Promise<string[]> {
  const ends = Promise.all(
    racers.map(({ command, at, isBlind = false }, i) => {
      const scheduled = new ScheduledStorage(root.open(), scheduler, `run ${i}`);
      const storage = isBlind ? withoutLeases(scheduled) : scheduled;
      return ending(command({ storage, state: states.fresh(), clock: clockAt(NOON + at) }));
    }),
  );
  await scheduler.waitFor(ends);
  return await ends;
}

/** What may be said to a run that was not the first. */
const CONFLICTS = ['locked', 'commit_conflict'];
/** And to one whose clock is behind, at a day that was pruned, or whose files were removed while they were read. */
const MAY_END = ['done', ...CONFLICTS, 'older_refused', 'pruned_refused', 'snapshot_pruned', 'not_found'];

/** Whoever comes later finds nothing wrong, and leaves nothing behind. */
async function expectPeace(root: Root): Promise<void> {
  // A run that slept while it wrote the copy leaves an old one until the next run; so do runs that see no lease.
  expect(await root.wrongNow(served, ['a true copy', 'leftovers have a lease'])).toEqual([]);
  await dump(small)({ storage: root.open(), state: states.fresh(), clock: clockAt(NOON + 2 * LATER) });
  expect(await root.wrongNow(served)).toEqual([]);
  await expectSettled(root);
}

describe('runs that meet at one day, in whatever order their steps follow each other,', () => {
  it.each<[string, () => Root, Racer[]]>([
    [
      'of which each takes the lease of the other for an expired one, by a clock that is ahead',
      () => holdsSmall,
      [
        { command: dump(large), at: 0 },
        { command: compaction(), at: MINUTE },
        { command: dump(small), at: 3 * MINUTE },
      ],
    ],
    [
      'of which none sees the lease of another',
      () => holdsSmall,
      [
        { command: dump(large), at: 0, isBlind: true },
        { command: compaction(), at: 0, isBlind: true },
        { command: dump(small), at: 0, isBlind: true },
      ],
    ],
    [
      'and take over the lease of the same dead run',
      () => leftByDead.start,
      [
        { command: dump(large), at: LATER },
        { command: dump(small), at: LATER },
      ],
    ],
    [
      'of which one prunes it',
      () => holdsSmall,
      [
        { command: dump(large), at: DAY, isBlind: true },
        { command: compaction(), at: DAY, isBlind: true },
        { command: pruning(), at: DAY, isBlind: true },
      ],
    ],
  ])('%s, do no harm', async (_, start, racers) => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const root = await start().copy();
        for (const end of await race(root, scheduler, racers)) ends.add(end);
        const isPruned = outcomeOf(await root.contents())[RUN_DATE] === 'pruned';
        if (!isPruned) await expectPeace(root);
        else expect(await root.wrongNow(served, ['a true copy', 'leftovers have a lease'])).toEqual([]);
      }),
      { numRuns: 8 },
    );
    for (const end of ends) expect(MAY_END).toContain(end);
  });
});

/** A root in which a dump sleeps just before its commit. */
async function asleepBeforeCommit(): Promise<{ root: Root; run: Promise<string>; wake(): void }> {
  for (let at = 1; ; at += 1) {
    const root = await holdsSmall.copy();
    const asleep = sleeper(root.open(), at);
    const run = ending(dump(large)({ storage: asleep.storage, state: states.fresh() }));
    await Promise.race([run, asleep.asleep]);
    if (asleep.operation?.startsWith('create _runs/log/')) return { root, run, wake: asleep.wake };
    asleep.wake();
    expect(await run).toBe('done');
  }
}

describe('a run that sleeps just before its commit', () => {
  it('cannot commit any more when another one has removed its files, even if its lease was lost and it is more than a day old', async () => {
    const { root, run, wake } = await asleepBeforeCommit();
    await root.storage.remove(leaseKeyOf(RUN_DATE)); // by a person, or by a run that took it over and ended
    const victim = mortal(root.open(), { at: 8, mishap: 'dies before' });
    const late = { storage: victim.storage, state: states.fresh(), clock: clockAt(NOON + DAY + LATER) };
    await expect(dump(small)(late)).rejects.toThrow('dead');
    wake();
    expect(await run).toBe('locked');
    expect(await root.wrongNow(served)).toEqual([]);
  });

  it('is found by its files when its lease was lost: the next run of the day abandons it', async () => {
    const { root, run, wake } = await asleepBeforeCommit();
    await root.storage.remove(leaseKeyOf(RUN_DATE));
    await dump(small)({ storage: root.open(), state: states.fresh() });
    expect(await root.wrongNow(served)).toEqual([]);
    await expectSettled(root);
    wake();
    expect(await run).toBe('locked');
    await expectSettled(root);
  });

  it('keeps its lease to itself: who cannot have it changes nothing', async () => {
    const { root, run, wake } = await asleepBeforeCommit();
    const before = new Map(await root.contents());
    const second = dump(small)({ storage: root.open(), state: states.fresh() });
    await expect(second).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    expect(await root.contents()).toEqual(before);
    wake();
    expect(await run).toBe('done');
    expect(await root.wrongNow(served)).toEqual([]);
    await expectSettled(root);
  });
});

describe('a commit that reaches the store after its run has given up', () => {
  it('fails, because that run has abandoned itself', async () => {
    const root = await holdsSmall.copy();
    let arrives = async (): Promise<unknown> => undefined;
    const storage = stepwise(root.open(), {
      async around(step, perform) {
        if (!isCommitStep(step)) return await perform();
        arrives = perform;
        throw new StorageError('The answer did not come in time.', { code: 'timeout' });
      },
    });
    const given = ending(dump(large)({ storage, state: states.fresh() }));
    expect(await given).toBe('timeout');
    expect(await arrives()).toBe(false);
    expect(await root.wrongNow(served)).toEqual([]);
    await expectSettled(root);
  });
});

describe('a lease that cannot be removed', () => {
  it('holds up the next run until it expires, and does no other harm', async () => {
    const root = await holdsSmall.copy();
    const isLease = (key: string): boolean => key === leaseKeyOf(RUN_DATE);
    const sticky = () =>
      stepwise(root.open(), {
        async around({ operation, key }, perform) {
          if (operation === 'remove' && isLease(key)) throw new Error('not allowed');
          return await perform();
        },
      });
    await dump(large)({ storage: sticky(), state: states.fresh() });
    const tooEarly = dump(small)({ storage: sticky(), state: states.fresh() });
    await expect(tooEarly).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    const before = entriesOf(await root.contents());
    await dump(small)({ storage: sticky(), state: states.fresh(), clock: clockAt(NOON + LATER) });
    expect(entriesOf(await root.contents()).map(({ action }) => action)).toEqual([
      ...before.map(({ action }) => action),
      'publish',
    ]);
    expect(await root.wrongNow(served)).toEqual([]);
  });
});
