import { afterAll, describe, expect, it } from 'vitest';
import { clockAt, LATER, NOON } from './support/clock-at.js';
import { type Command, compaction, dump, pruning } from './support/commands.js';
import { entriesOf, isCommit } from './support/contents.js';
import { expectSettled, outcomeOf } from './support/repair.js';
import type { Root } from './support/root.js';
import { openScenarios, type Scenario } from './support/scenarios.js';
import { sleeper } from './support/sleeper.js';

const opened = await openScenarios();
afterAll(() => opened[Symbol.asyncDispose]());
const { small, large, states, holdsSmall, holdsLarge, served, scenarios } = opened;
const named = (name: string): Scenario =>
  scenarios.find((scenario) => scenario.name.includes(name)) as Scenario;
const pruned = named('pruning');
const takingOver = named('takes over from a dump that died before');

const DAY = 24 * 60 * 60_000;

interface Pair {
  first: string;
  second: string;
  start: Root;
  /** When the first begins; default: noon of the run date. */
  at?: number;
  sleeps: Command;
  /** Runs while the first sleeps, this long after it. */
  after: number;
  runs: Command;
}

const pairs: Pair[] = [
  {
    first: 'a dump',
    second: 'a dump',
    start: holdsSmall,
    sleeps: dump(large),
    after: LATER,
    runs: dump(small),
  },
  {
    first: 'a dump per date',
    second: 'a compaction',
    start: holdsSmall,
    sleeps: dump(large, 'per-date'),
    after: LATER,
    runs: compaction(),
  },
  {
    first: 'a dump',
    second: 'a pruning',
    start: holdsSmall,
    sleeps: dump(large),
    after: DAY,
    runs: pruning(),
  },
  {
    first: 'a compaction',
    second: 'a dump',
    start: holdsLarge,
    sleeps: compaction(),
    after: LATER,
    runs: dump(small),
  },
  {
    first: 'a compaction',
    second: 'a compaction',
    start: holdsLarge,
    sleeps: compaction(),
    after: LATER,
    runs: compaction(),
  },
  {
    first: 'a compaction',
    second: 'a pruning',
    start: holdsLarge,
    sleeps: compaction(),
    after: DAY,
    runs: pruning(),
  },
  {
    first: 'a pruning',
    second: 'a pruning',
    start: pruned.start,
    sleeps: pruning(),
    after: LATER,
    runs: pruning(),
  },
  {
    first: 'a dump after a dead one',
    second: 'a dump',
    start: takingOver.start,
    at: takingOver.at,
    sleeps: dump(large),
    after: LATER,
    runs: dump(small),
  },
];

interface Night {
  /** Whether the second is run on the same machine, and so resumes what the first has staged. */
  isSameMachine: boolean;
}

/** @returns false when the first had ended before */
async function sleepAt(at: number, pair: Pair, { isSameMachine }: Night): Promise<boolean> {
  const { start, sleeps, runs, after, at: now = NOON } = pair;
  const root = await start.copy();
  const state = states.fresh();
  const asleep = sleeper(root.open(), at);
  const first = sleeps({ storage: asleep.storage, state, clock: clockAt(now) }).then(
    () => undefined,
    (error: unknown) => error,
  );
  await Promise.race([first, asleep.asleep]);
  if (asleep.operation === undefined) {
    expect(await first).toBe(undefined);
    return false;
  }
  try {
    const second = { storage: root.open(), state: isSameMachine ? state : states.fresh() };
    await runs({ ...second, clock: clockAt(now + after) });
    expect(await root.wrongNow(served)).toEqual([]);
    await expectSettled(root);
    const commits = entriesOf(await root.contents()).filter(isCommit);
    const outcome = outcomeOf(await root.contents());

    asleep.wake();
    const error = await first;
    expect(await root.wrongNow(served)).toEqual([]);
    await expectSettled(root);
    if (asleep.hadLease) {
      if (error !== undefined) expect(error).toMatchObject({ failure: 'transient' });
      expect(entriesOf(await root.contents()).filter(isCommit)).toEqual(commits);
      expect(outcomeOf(await root.contents())).toEqual(outcome);
    }
    return true;
  } catch (error) {
    asleep.wake();
    await first;
    throw new Error(`asleep before operation ${at} (${asleep.operation}): ${(error as Error).message}`, {
      cause: error,
    });
  }
}

describe.each(pairs)('$first that is stopped before any operation for longer than its lease', (pair) => {
  it.each([
    ['another machine', false],
    ['the same machine', true],
  ])(`does no harm when ${pair.second} is run on %s meanwhile`, async (_, isSameMachine) => {
    let at = 1;
    while (await sleepAt(at, pair, { isSameMachine })) at += 1;
    expect(at).toBeGreaterThan(30);
    console.log(`${pair.first} slept before each of ${at - 1} operations, and ${pair.second} ran meanwhile`);
  });
});
