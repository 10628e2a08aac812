import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, type Manifest, readManifest, verify } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships, temporaryFolder } from '../snapshot/tree.js';

const COMMAND = resolve(import.meta.dirname, '../../dist/connectors/cli/main.js');
const KILLER = resolve(import.meta.dirname, 'kill-at-step.mjs');
const RUN_DATE = '2026-11-23';

let before: FixtureApi;
let after: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
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

/** Runs the real command; `killAt` 0 lets it live. @returns its exit code, null when it was killed */
async function dump(
  api: FixtureApi,
  root: string,
  environment: Record<string, string> = {},
): Promise<number | null> {
  const flags = [
    '--out',
    root,
    '--format',
    'ndjson',
    '--run-date',
    RUN_DATE,
    '--page-size',
    '10',
    '--rows-per-file',
    '10',
  ];
  const steady = [
    '--concurrency',
    '1',
    '--requests-per-minute',
    '0',
    '--progress',
    'none',
    '--max-shrink',
    '100',
  ];
  const child = spawn(process.execPath, ['--import', KILLER, COMMAND, 'dump', ...flags, ...steady], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...environment,
      ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
      ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
    },
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

/** Kills a run that begins in the state `from` at every step it takes. */
async function killEverywhere(from: string): Promise<number> {
  const steps = await countSteps(from);
  for (let step = 1; step <= steps; step += 1) {
    const root = join(folder.path, 'killed');
    await cp(from, root, { recursive: true });
    try {
      expect([step, await dump(after, root, { KILL_AT_STEP: String(step) })]).toEqual([step, null]);
      await expectNoLie(root);
      expect(await dump(after, root)).toBe(0);
      await expectConverged(root);
    } catch (error) {
      throw new Error(`killed at step ${step} of ${steps}`, { cause: error });
    }
    await rm(root, { recursive: true });
  }
  return steps;
}

describe('a dump that is killed', () => {
  it('at any step over an older snapshot of its date never lies, and the next run converges', async () => {
    const start = join(folder.path, 'start');
    await dump(before, start);
    const steps = await killEverywhere(start);
    process.stdout.write(`killed at each of ${steps} steps of a dump on disk\n`);
    expect(steps).toBeGreaterThan(50);
  });

  it('again, at any step of the run that goes on with it, converges too', async () => {
    const start = join(folder.path, 'resumed');
    await cp(join(folder.path, 'start'), start, { recursive: true });
    const half = Math.floor((await countSteps(start)) / 2);
    expect(await dump(after, start, { KILL_AT_STEP: String(half) })).toBe(null);
    const steps = await killEverywhere(start);
    process.stdout.write(`killed at each of ${steps} steps of a resumed dump on disk\n`);
    expect(steps).toBeGreaterThan(20);
  });
});
