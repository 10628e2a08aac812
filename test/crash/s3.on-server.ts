import { randomUUID } from 'node:crypto';
import { cp, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { openStorage, type Storage } from '../../src/index.js';
import { take, temporaryFolder } from '../snapshot/tree.js';
import { motoOptions } from '../storage/servers/moto.js';
import { startProxy } from '../storage/servers/proxy.js';
import { dumpProcess, expectConverged, expectNoLie, RUN_DATE } from './invariants.js';

const endpoint = process.env.S3_ENDPOINT ?? '';
const BUILT = resolve(import.meta.dirname, '../../.cache/crash-build-s3');

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

interface Root {
  root: string;
  state: string;
  storage: Storage;
}

/** A dump that is killed at one of its requests; `changes` is how many there were. */
async function dump({ root, state }: Root, { at, when }: Kill) {
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
  const options = JSON.stringify(motoOptions(proxy.endpoint));
  const exitCode = await dumpProcess(
    after,
    { BUILT, ROOT: root, STATE: state, OPTIONS: options },
    {
      killed(action) {
        kill = action;
      },
    },
  );
  return { changes, exitCode };
}

/** A root that holds an older snapshot of the date. */
async function olderSnapshot(): Promise<Root> {
  const root = `s3://lake/${randomUUID()}`;
  const state = join(folder.path, randomUUID());
  const storage = await openStorage(root, motoOptions(endpoint));
  await take(before, state, { storage, state, runDate: RUN_DATE });
  return { root, state, storage };
}

async function expectClean({ storage, state }: Root): Promise<void> {
  await expectConverged(storage, after);
  expect(await readdir(state, { recursive: true })).toEqual(['tmp']);
}

describe('a dump to S3 that is killed', () => {
  it('at any request that changes the bucket never lies, and the next run converges', async () => {
    const whole = await olderSnapshot();
    const { changes } = await dump(whole, { at: 0, when: 'before' });
    await expectClean(whole);
    for (let at = 1; at <= changes; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const root = await olderSnapshot();
        try {
          expect(await dump(root, { at, when })).toMatchObject({ exitCode: null });
          await expectNoLie(root.storage, [before, after]);
          expect(await dump(root, { at: 0, when })).toMatchObject({ exitCode: 0 });
          await expectClean(root);
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
