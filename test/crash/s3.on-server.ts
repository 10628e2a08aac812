import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cp, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, openStorage, readManifest, type Storage, verify } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships, take, temporaryFolder } from '../snapshot/tree.js';
import { motoOptions } from '../storage/servers/moto.js';
import { startProxy } from '../storage/servers/proxy.js';

const endpoint = process.env.S3_ENDPOINT ?? '';
const DUMP = resolve(import.meta.dirname, 'dump.mjs');
const BUILT = resolve(import.meta.dirname, '../../.cache/crash-build-s3');
const RUN_DATE = '2026-11-23';

let before: FixtureApi;
let after: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  await cp(resolve(import.meta.dirname, '../../dist'), BUILT, { recursive: true, force: true });
  before = await startFixtureApi({ sizes: [2, 5, 0] });
  after = await startFixtureApi({ sizes: [25, 0, 3] });
  folder = await temporaryFolder();
});

afterAll(async () => {
  await before.close();
  await after.close();
  await folder[Symbol.asyncDispose]();
});

interface Kill {
  /** Of the requests that change the bucket, counted from 1; 0: none. */
  at: number;
  when: 'before' | 'after';
}

/** A dump in a process of its own, which is killed at one of its requests. @returns how many there were */
async function dump(
  root: string,
  state: string,
  { at, when }: Kill,
): Promise<{ changes: number; exitCode: number | null }> {
  let changes = 0;
  let kill = (): void => {};
  await using proxy = await startProxy(endpoint, {
    cut({ method }) {
      if (!['PUT', 'POST', 'DELETE'].includes(method)) return undefined;
      changes += 1;
      if (changes !== at) return changes > at && at > 0 ? 'before' : undefined;
      kill();
      return when;
    },
  });
  const child = spawn(process.execPath, [DUMP], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      BUILT,
      ROOT: root,
      OPTIONS: JSON.stringify(motoOptions(proxy.endpoint)),
      STATE: state,
      URL: after.url,
      KEY: after.key,
      RUN_DATE,
    },
  });
  kill = () => child.kill('SIGKILL');
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== null && exitCode !== 0) throw new Error(`the dump failed: ${stderr}`);
  return { changes, exitCode };
}

/** A root that holds an older snapshot of the date. */
async function olderSnapshot(): Promise<{ root: string; state: string; storage: Storage }> {
  const root = `s3://lake/${randomUUID()}`;
  const state = join(folder.path, randomUUID());
  const storage = await openStorage(root, motoOptions(endpoint));
  await take(before, state, { storage, state, runDate: RUN_DATE });
  return { root, state, storage };
}

async function expectNoLie(storage: Storage): Promise<void> {
  const manifest = await readManifest(storage, RUN_DATE);
  if (manifest?.status !== 'complete') return;
  const { findings } = await verify({ storage, runDate: RUN_DATE });
  expect(findings.filter(({ problem }) => problem !== 'log')).toEqual([]);
  const users = memberships(await rowsOf(storage, manifest, 'users'));
  expect([servedMemberships(before), servedMemberships(after)]).toContainEqual(users);
}

async function expectConverged(storage: Storage, state: string): Promise<void> {
  const manifest = (await readManifest(storage, RUN_DATE)) as Manifest;
  expect(manifest.status).toBe('complete');
  expect(memberships(await rowsOf(storage, manifest, 'users'))).toEqual(servedMemberships(after));
  expect((await verify({ storage, all: true })).findings).toEqual([]);
  expect(await readdir(state, { recursive: true })).toEqual(['tmp']);
}

describe('a dump to S3 that is killed', () => {
  it('at any request that changes the bucket never lies, and the next run converges', async () => {
    const whole = await olderSnapshot();
    const { changes } = await dump(whole.root, whole.state, { at: 0, when: 'before' });
    await expectConverged(whole.storage, whole.state);
    for (let at = 1; at <= changes; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const { root, state, storage } = await olderSnapshot();
        try {
          expect(await dump(root, state, { at, when })).toMatchObject({ exitCode: null });
          await expectNoLie(storage);
          expect(await dump(root, state, { at: 0, when })).toMatchObject({ exitCode: 0 });
          await expectConverged(storage, state);
        } catch (error) {
          const where = `killed ${when} request ${at} of ${changes}`;
          throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
        }
      }
    }
    process.stdout.write(`killed before and after each of ${changes} requests that change a bucket\n`);
    expect(changes).toBeGreaterThan(8);
  }, 1_800_000);
});
