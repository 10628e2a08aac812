import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { forEachConcurrently } from '../../src/concurrency.js';
import { LocalStorage, type Manifest, readManifest, verify } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships, temporaryFolder } from '../snapshot/tree.js';

const DUMP = resolve(import.meta.dirname, 'dump.mjs');
/** A copy of the build, beside it, so that its packages are found: nobody builds it anew under a running test. */
const BUILT = resolve(import.meta.dirname, '../../.cache/crash-build');
const KILLER = resolve(import.meta.dirname, 'kill-at-step.mjs');
const RUN_DATE = '2026-11-23';

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

/** Runs a dump in a process of its own. @returns its exit code, null when it was killed */
async function dump(
  api: FixtureApi,
  root: string,
  environment: Record<string, string> = {},
): Promise<number | null> {
  const child = spawn(process.execPath, ['--import', KILLER, DUMP], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment, BUILT, ROOT: root, URL: api.url, KEY: api.key, RUN_DATE },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== null && exitCode !== 0) throw new Error(`the dump failed: ${stderr}`);
  return exitCode;
}

async function countSteps(from: string): Promise<number> {
  const root = join(folder.path, 'counting');
  await cp(from, root, { recursive: true });
  expect(await dump(after, root, { STEPS_TO: join(folder.path, 'steps') })).toBe(0);
  await rm(root, { recursive: true });
  return Number(await readFile(join(folder.path, 'steps'), 'utf8'));
}

/** A manifest that says `complete` is one over its own data, whichever of the two snapshots that is. */
async function expectNoLie(root: string): Promise<void> {
  const storage = new LocalStorage(root);
  const manifest = await readManifest(storage, RUN_DATE);
  if (manifest?.status !== 'complete') return;
  const { findings } = await verify({ storage, runDate: RUN_DATE });
  // A run that was killed between its manifest and its log entry adds the entry when it goes on.
  expect(findings.filter(({ problem }) => problem !== 'log')).toEqual([]);
  const users = memberships(await rowsOf(root, manifest, 'users'));
  expect([servedMemberships(before), servedMemberships(after)]).toContainEqual(users);
}

async function expectConverged(root: string): Promise<void> {
  const storage = new LocalStorage(root);
  const manifest = (await readManifest(storage, RUN_DATE)) as Manifest;
  expect(manifest.status).toBe('complete');
  expect(memberships(await rowsOf(root, manifest, 'users'))).toEqual(servedMemberships(after));
  expect((await verify({ storage, all: true })).findings).toEqual([]);
  expect(await readdir(join(root, '_staging'))).toEqual(['tmp']);
  expect(await readdir(join(root, '_staging', 'tmp'))).toEqual([]);
}

/** Kills a run that begins in the state `from` at every step it takes, two runs at a time. */
async function killEverywhere(from: string): Promise<number> {
  const steps = await countSteps(from);
  const open = Array.from({ length: steps }, (_, index) => index + 1);
  await forEachConcurrently(open, { limit: 2 }, async (step) => {
    const root = join(folder.path, `killed-${step}`);
    await cp(from, root, { recursive: true });
    try {
      expect(await dump(after, root, { KILL_AT_STEP: String(step) })).toBe(null);
      await expectNoLie(root);
      expect(await dump(after, root)).toBe(0);
      await expectConverged(root);
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
    const half = Math.floor((await countSteps(start)) / 2);
    expect(await dump(after, start, { KILL_AT_STEP: String(half) })).toBe(null);
    const steps = await killEverywhere(start);
    process.stdout.write(`killed at each of ${steps} steps of a resumed dump on disk\n`);
    expect(steps).toBeGreaterThan(20);
  }, 1_800_000);
});
