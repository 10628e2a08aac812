import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { forEachConcurrently } from '../../src/concurrency.js';
import { LocalStorage } from '../../src/index.js';
import { temporaryFolder } from '../snapshot/tree.js';
import { dumpProcess, expectConverged, expectNoLie } from './invariants.js';

/** A copy of the build, beside it, so that its packages are found: nobody builds it anew under a running test. */
const BUILT = resolve(import.meta.dirname, '../../.cache/crash-build');
const preload = resolve(import.meta.dirname, 'kill-at-step.mjs');

let before: FixtureApi;
let after: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  await cp(resolve(import.meta.dirname, '../../dist'), BUILT, { recursive: true, force: true });
  before = await startFixtureApi({ sizes: [2, 5, 0] });
  // The same organisations on a later hour: another one has no users now, and one has several parts.
  after = await startFixtureApi({ sizes: [25, 0, 3] });
  folder = await temporaryFolder();
});

afterAll(async () => {
  await before.close();
  await after.close();
  await folder[Symbol.asyncDispose]();
});

const dump = (
  api: FixtureApi,
  root: string,
  environment: Record<string, string> = {},
): Promise<number | null> => dumpProcess(api, { BUILT, ROOT: root, ...environment }, { preload });

async function countSteps(from: string): Promise<number> {
  const root = join(folder.path, 'counting');
  await cp(from, root, { recursive: true });
  expect(await dump(after, root, { STEPS_TO: join(folder.path, 'steps') })).toBe(0);
  await rm(root, { recursive: true });
  return Number(await readFile(join(folder.path, 'steps'), 'utf8'));
}

/** Kills a run that begins in the state `from` at every step it takes, two runs at a time. */
async function killEverywhere(from: string): Promise<number> {
  const steps = await countSteps(from);
  const open = Array.from({ length: steps }, (_, index) => index + 1);
  await forEachConcurrently(open, { limit: 2 }, async (step) => {
    const root = join(folder.path, `killed-${step}`);
    const storage = new LocalStorage(root);
    await cp(from, root, { recursive: true });
    try {
      expect(await dump(after, root, { KILL_AT_STEP: String(step) })).toBe(null);
      await expectNoLie(storage, [before, after]);
      expect(await dump(after, root)).toBe(0);
      await expectConverged(storage, after);
      expect(await readdir(join(root, '_staging'), { recursive: true })).toEqual(['tmp']);
    } catch (error) {
      throw new Error(`killed at step ${step} of ${steps}: ${(error as Error).message}`, { cause: error });
    }
    await rm(root, { recursive: true });
  });
  return steps;
}

describe('a dump that is killed', () => {
  it('at any step over an older snapshot of its date never lies, and the next run converges', async () => {
    const start = join(folder.path, 'start');
    await dump(before, start);
    const steps = await killEverywhere(start);
    process.stdout.write(`killed at each of ${steps} steps of a dump on disk\n`);
    expect(steps).toBeGreaterThan(50);
  }, 1_800_000);

  it('again, at any step of the run that goes on with it, converges too', async () => {
    const start = join(folder.path, 'resumed');
    await cp(join(folder.path, 'start'), start, { recursive: true });
    const whole = await countSteps(start);
    expect(await dump(after, start, { KILL_AT_STEP: String(Math.floor(whole / 2)) })).toBe(null);
    const steps = await killEverywhere(start);
    process.stdout.write(`killed at each of ${steps} steps of a resumed dump on disk\n`);
    expect(steps).toBeGreaterThan(20);
    expect(steps).toBeLessThan(whole); // or else nothing was gone on with
  }, 1_800_000);
});
