import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { violations } from '../invariants.js';
import { clockAt, LATER } from './clock-at.js';
import { type Mishap, mishaps, mortal } from './mortal.js';
import { declareDead, expectRepair, expectSettled } from './repair.js';
import type { Root } from './root.js';
import type { Ending, Scenario, Scenarios } from './scenarios.js';
import type { Served } from './served.js';
import type { Step } from './steps.js';

interface Harmed {
  mishap: Mishap;
  /** Each is tried on a copy of what is left. */
  endings: readonly (Ending | 'resumption')[];
}

/** Harms a scenario at each of its steps, and has what is left repaired in every way. @returns its steps */
export async function harmEverywhere(
  scenario: Scenario,
  { states }: Pick<Scenarios, 'states'>,
  { mishap, endings }: Harmed,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (let at = 1; ; at += 1) {
    const root = await scenario.start.copy();
    const state = states.fresh();
    const victim = mortal(root.open(), { at, mishap });
    const place = { storage: victim.storage, state, clock: clockAt(scenario.at) };
    const error = await scenario.command(place).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (!victim.step) {
      if (error) throw error;
      return steps;
    }
    steps.push(victim.step);
    const { operation, key } = victim.step;
    let doing = 'then';
    try {
      expect(await root.wrongNow(scenario.served)).toEqual([]);
      for (const [index, ending] of endings.entries()) {
        const left = await root.copy();
        doing = ending === 'resumption' ? 'a resumption' : ending.name;
        if (ending === 'resumption') {
          await expectResumption(left, scenario, await states.copyOf(state));
          continue;
        }
        // Every other one is of the same machine, where the process is known to be dead; the rest wait.
        const { after = LATER } = ending;
        const isWaiting = index % 2 === 0 || after > LATER;
        if (!isWaiting) await declareDead(left);
        await expectRepair(left, { ...ending, after: isWaiting ? after : 0 }, scenario, states.fresh());
      }
    } catch (error) {
      const where = `${scenario.name} ${mishap} step ${at} (${operation} ${key}), ${doing}`;
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** The same command resumes the staged run. */
async function expectResumption(
  root: Root,
  { command, at, served, dumped }: Scenario,
  state: string,
): Promise<void> {
  if (!dumped) throw new TypeError('only a dump is resumed');
  const place = { storage: root.open(), state, clock: clockAt(at + LATER) };
  await expectReadOnce(dumped, state, () => command(place));
  expect(await root.wrongNow(served)).toEqual([]);
  await expectSettled(root);
}

/** Nothing is requested again that a staged run holds. @returns how many lists it held */
export async function expectReadOnce(
  { api }: Served,
  state: string,
  resume: () => Promise<unknown>,
): Promise<number> {
  const finished = await finishedLists(state);
  const before = api.requests.length;
  await resume();
  const requested = api.requests
    .slice(before)
    .flatMap(({ list, organizationUuid }) => (organizationUuid ? [`${list}/${organizationUuid}`] : []));
  expect(violations('resumed', { requested, finished })).toEqual([]);
  return finished.length;
}

/** By the journals: the lists with a parent, which are not read again. */
async function finishedLists(state: string): Promise<string[]> {
  const staging = join(state, '_staging');
  const finished: string[] = [];
  for (const run of await readdir(staging).catch(() => [])) {
    const journal = await readFile(join(staging, run, 'journal.ndjson'), 'utf8').catch(() => '');
    // The last line is being written, or was when its process was killed: it does not count for the connector either.
    for (const line of journal.split('\n').slice(0, -1)) {
      const { slice } = JSON.parse(line);
      const uuid = slice?.parent.organization_uuid;
      if (uuid !== undefined && slice.verdict === 'complete') finished.push(`${slice.stream}/${uuid}`);
    }
  }
  return finished;
}

/** Every ending is tried after a death; after other mishaps one is, and a resumption where that could be misled. */
export function endingsAfter(mishap: Mishap, { endings, dumped }: Scenario): Harmed['endings'] {
  if (mishap === 'dies before') return endings;
  return dumped && mishaps[mishap].isPerformed ? ['resumption'] : endings.slice(0, 1);
}
