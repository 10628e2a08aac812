import { afterAll, expect, it } from 'vitest';
import { clockAt, LATER, NOON } from './support/clock-at.js';
import { type Command, compaction, dump } from './support/commands.js';
import { expectSettled } from './support/repair.js';
import type { Root } from './support/root.js';
import { openScenarios } from './support/scenarios.js';
import { type Sleeper, sleeper } from './support/sleeper.js';

/** Of the operations of each run, every so many is tried; `STRIDE=1` tries all of them, which takes minutes. */
const STRIDE = Number(process.env.STRIDE ?? 7);

const opened = await openScenarios();
afterAll(() => opened[Symbol.asyncDispose]());
const { small, large, states, holdsSmall, served } = opened;

interface Started {
  asleep: Sleeper;
  /** How it ended. */
  end: Promise<unknown>;
}

/** Starts a command that falls asleep before an operation, unless it ends before. */
async function start(
  root: Root,
  command: Command,
  { at, now }: { at: number; now: number },
): Promise<Started> {
  const asleep = sleeper(root.open(), at);
  const place = { storage: asleep.storage, state: states.fresh(), clock: clockAt(now) };
  const end = command(place).catch((error: unknown) => error);
  await Promise.race([end, asleep.asleep]);
  return { asleep, end };
}

/** The first stops; the second takes over, and stops; the first goes on and ends; the second does. */
async function sleepInTurns(one: Command, other: Command, [i, j]: readonly [number, number]) {
  const root = await holdsSmall.copy();
  const first = await start(root, one, { at: i, now: NOON });
  const second = await start(root, other, { at: j, now: NOON + LATER });
  const places = `${i}: ${first.asleep.operation}, ${j}: ${second.asleep.operation}`;
  // Until a run comes that does not sleep, the copy may be an old one, and a lease that was lost may be missing.
  const wrong = () => root.wrongNow(served, ['a true copy', 'leftovers have a lease']);
  first.asleep.wake();
  const ends = [await first.end];
  expect(await wrong(), places).toEqual([]);
  second.asleep.wake();
  ends.push(await second.end);
  expect(await wrong(), places).toEqual([]);
  expect(
    ends.some((end) => !(end instanceof Error)),
    `${places}: one of the two gets through`,
  ).toBe(true);
  // The clock of the first is behind: what it has read may be taken for older than what the second has published.
  for (const end of ends) {
    const isWanted = (end as { failure?: string } | undefined)?.failure === 'transient';
    if (end instanceof Error && !isWanted) expect(end, places).toMatchObject({ code: 'older_refused' });
  }

  await dump(small)({ storage: root.open(), state: states.fresh(), clock: clockAt(NOON + 3 * LATER) });
  expect(await root.wrongNow(served), places).toEqual([]);
  await expectSettled(root);
  return {
    firstSlept: first.asleep.operation !== undefined,
    secondSlept: second.asleep.operation !== undefined,
  };
}

it.each<[string, Command, Command]>([
  ['a dump and a dump', dump(large), dump(small)],
  ['a dump and a compaction', dump(large), compaction()],
  ['a compaction and a dump', compaction(), dump(large)],
])('%s, of which each is stopped in turn while the other works, do no harm', async (name, one, other) => {
  let nights = 0;
  for (let i = 1, isOver = false; !isOver; i += STRIDE) {
    for (let j = 1, slept = true; slept; j += STRIDE) {
      const { firstSlept, secondSlept } = await sleepInTurns(one, other, [i, j]);
      isOver = !firstSlept;
      slept = secondSlept;
      nights += 1;
    }
  }
  console.log(`${name} slept in turns in ${nights} ways`);
  expect(nights).toBeGreaterThan(30);
});
