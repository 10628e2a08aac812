import { randomUUID } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { forEachConcurrently } from '../../src/concurrency.js';
import { LocalStorage, readManifest } from '../../src/index.js';
import { expectEnding, expectNoLie } from './invariants.js';
import { onDisk, openRoots, RUN_DATE } from './roots.js';
import { runProcess } from './run-process.js';
import { type Scenario, scenariosOf } from './scenarios.js';

const preload = resolve(import.meta.dirname, 'kill-at-step.mjs');
const roots = await openRoots('crash-build');
const { built, folder } = roots;
const { dumpPerOrg, dumpPerDate, compaction, compactionBack, pruning } = scenariosOf(roots);

afterAll(async () => {
  await roots[Symbol.asyncDispose]();
});

async function countSteps({ start, command }: Scenario): Promise<number> {
  const root = join(folder, randomUUID());
  const environment = { STEPS_TO: join(folder, 'steps') };
  await cp(start, root, { recursive: true });
  expect(await runProcess({ built, command, place: onDisk(root), preload, environment })).toBe(0);
  return Number(await readFile(environment.STEPS_TO, 'utf8'));
}

/** @returns the root as the kill left it */
async function killAt(step: number, { start, command }: Scenario): Promise<string> {
  const root = join(folder, randomUUID());
  const environment = { KILL_AT_STEP: String(step) };
  await cp(start, root, { recursive: true });
  expect(await runProcess({ built, command, place: onDisk(root), preload, environment })).toBe(null);
  return root;
}

interface Killed {
  steps: number;
  /** The steps before which the manifest said `publishing`, in order. */
  publishing: number[];
}

/** Kills a scenario at each of its steps, two at a time. */
async function killEverywhere(scenario: Scenario): Promise<Killed> {
  const steps = await countSteps(scenario);
  const publishing: number[] = [];
  const open = Array.from({ length: steps }, (_, index) => index + 1);
  await forEachConcurrently(open, { limit: 2 }, async (step) => {
    try {
      const killed = await killAt(step, scenario);
      await expectNoLie(onDisk(killed), scenario.served);
      const manifest = await readManifest(new LocalStorage(killed), RUN_DATE);
      if (manifest?.status === 'publishing') publishing.push(step);
      for (const ending of scenario.endings) {
        const root = `${killed}-ended`;
        await cp(killed, root, { recursive: true });
        await expectEnding(ending, { built, place: onDisk(root) });
        await rm(root, { recursive: true });
      }
      await rm(killed, { recursive: true });
    } catch (error) {
      throw new Error(`killed at step ${step} of ${steps}: ${(error as Error).message}`, { cause: error });
    }
  });
  process.stdout.write(`killed at each of ${steps} steps of ${scenario.name}, on disk\n`);
  return { steps, publishing: publishing.sort((a, b) => a - b) };
}

/** Kills what goes on with a scenario that was killed at a step. @returns the number of its steps */
async function killAgain(scenario: Scenario, step: number): Promise<number> {
  const { name, endings } = scenario;
  const start = await killAt(step, scenario);
  const again: Scenario = {
    ...scenario,
    name: `${name} that goes on after step ${step}`,
    start,
    endings: [endings[0]],
  };
  return (await killEverywhere(again)).steps;
}

const middle = (steps: readonly number[]): number => steps[Math.floor(steps.length / 2)] as number;

describe('what is killed at any step on a disk never lies, and the next run converges:', {
  timeout: 1_800_000,
}, () => {
  it('a dump, also one that goes on with what was read, or was being put in place', async () => {
    const { steps, publishing } = await killEverywhere(dumpPerOrg);
    expect(steps).toBeGreaterThan(50);
    for (const step of [Math.floor(steps / 2), middle(publishing)]) {
      const left = await killAgain(dumpPerOrg, step);
      expect(left).toBeGreaterThan(20);
      expect(left).toBeLessThan(steps); // or else nothing was gone on with
    }
  });

  it('a dump that is laid out per date, also one that goes on with what was laid out', async () => {
    const { steps, publishing } = await killEverywhere(dumpPerDate);
    expect(steps).toBeGreaterThan(50);
    const left = await killAgain(dumpPerDate, Math.min(...publishing) - 1);
    expect(left).toBeGreaterThan(20);
    expect(left).toBeLessThan(steps);
  });

  it.each([
    ['to per-date', compaction],
    ['back to per-org', compactionBack],
  ])('a compaction %s, also one that goes on with what was being put in place', async (_, scenario) => {
    const { steps, publishing } = await killEverywhere(scenario);
    expect(steps).toBeGreaterThan(50);
    const left = await killAgain(scenario, middle(publishing));
    expect(left).toBeGreaterThan(20);
    expect(left).toBeLessThan(steps);
  });

  it('a pruning', async () => {
    const { steps } = await killEverywhere(pruning);
    expect(steps).toBeGreaterThan(50);
  });
});
