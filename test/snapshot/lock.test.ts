import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  type Clock,
  createSink,
  LocalStorage,
  readManifest,
  type Sink,
  type StagedFolder,
  systemClock,
  verify,
} from '../../src/index.js';
import { acquireLock, LOCK_EXPIRES_AFTER } from '../../src/snapshot/lock.js';
import { memberships, rowsOf, servedMemberships, take, temporaryFolder } from './tree.js';

const RUN_DATE = '2026-11-23';
const LOCKS = `_runs/run_date=${RUN_DATE}/lock`;

/** The wall clock, moved by so many milliseconds. */
const moved = (by: number): Clock => ({ ...systemClock, now: () => Date.now() + by });

const request = (root: string, runId: string, clock: Clock = systemClock) => ({
  storage: new LocalStorage(root),
  runDate: RUN_DATE,
  runId,
  clock,
});

describe('the lock of a run date', () => {
  it('is held by one: the next one is told who, and is to try later', async () => {
    await using root = await temporaryFolder();
    const lock = await acquireLock(request(root.path, 'first'));
    const second = acquireLock(request(root.path, 'second'));
    await expect(second).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    await expect(second).rejects.toThrow(`run first (process ${process.pid}`);
    await lock.release();
    const third = await acquireLock(request(root.path, 'third'));
    expect(third.number).toBe(2);
    await third.release();
  });

  it('is given to one of many that ask at the same time', async () => {
    await using root = await temporaryFolder();
    const asked = Array.from({ length: 20 }, (_, i) => acquireLock(request(root.path, `run-${i}`)));
    const settled = await Promise.allSettled(asked);
    const held = settled.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    expect(held).toHaveLength(1);
    await held[0]?.release();
  });

  it('runs out when its holder stands still, and a holder that wakes up finds that it has lost it', async () => {
    await using root = await temporaryFolder();
    const sleeper = await acquireLock(request(root.path, 'sleeper'));
    await sleeper.check();
    const successor = await acquireLock(request(root.path, 'successor', moved(LOCK_EXPIRES_AFTER + 1)));
    expect(successor.number).toBe(2);
    await expect(sleeper.check()).rejects.toMatchObject({ code: 'locked' });
    await successor.check();
    await Promise.all([sleeper.release(), successor.release()]);
  });

  it('of a process of this machine that has died need not be waited for', async () => {
    await using root = await temporaryFolder();
    const lock = await acquireLock(request(root.path, 'dead'));
    const path = join(root.path, LOCKS, '1.json');
    const holder = JSON.parse(await readFile(path, 'utf8'));
    await lock.release();
    await writeFile(path.replace('1.json', '2.json'), JSON.stringify({ ...holder, pid: 2 ** 22 + 1 }));
    const next = await acquireLock(request(root.path, 'next'));
    expect(next.number).toBe(3);
    await next.release();
  });

  it('that nobody can read, because its file was cut, is passed over', async () => {
    await using root = await temporaryFolder();
    await (await acquireLock(request(root.path, 'first'))).release();
    await writeFile(join(root.path, LOCKS, '2.json'), '{"run_id":"cu');
    const next = await acquireLock(request(root.path, 'next'));
    expect(next.number).toBe(3);
    await next.release();
  });

  it('names the run that is published under it', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const { run_id } = await take(api, root.path);
    expect(JSON.parse(await readFile(join(root.path, LOCKS, '1.json'), 'utf8'))).toMatchObject({ run_id });
  });

  it('stays where it is: nothing is ever deleted', async () => {
    await using root = await temporaryFolder();
    for (const runId of ['a', 'b']) await (await acquireLock(request(root.path, runId))).release();
    expect((await readdir(join(root.path, LOCKS))).sort()).toEqual([
      '1.json',
      '1.released',
      '2.json',
      '2.released',
    ]);
  });
});

async function expectWhole(root: string, api: FixtureApi): Promise<void> {
  const storage = new LocalStorage(root);
  const manifest = await readManifest(storage, RUN_DATE);
  expect(manifest?.status).toBe('complete');
  expect((await verify({ storage })).findings).toEqual([]);
  if (manifest) expect(memberships(await rowsOf(root, manifest, 'users'))).toEqual(servedMemberships(api));
}

describe('two dumps of one date at once', () => {
  it('end with one published and one that says who is at it, ten times out of ten', async () => {
    await using api = await startFixtureApi({ sizes: [3, 1200], latency: 20 });
    for (let pair = 0; pair < 10; pair += 1) {
      await using root = await temporaryFolder();
      const results = await Promise.allSettled([take(api, root.path), take(api, root.path)]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [loser] = results.filter((result) => result.status === 'rejected');
      expect(loser?.reason).toMatchObject({ code: 'locked', exitCode: 75 });
      await expectWhole(root.path, api);
    }
  });

  it('of two dates do not disturb each other', async () => {
    await using api = await startFixtureApi({ sizes: [3, 1200], latency: 20 });
    await using root = await temporaryFolder();
    const dates = ['2026-11-21', '2026-11-22', RUN_DATE];
    await Promise.all(dates.map((runDate) => take(api, root.path, { runDate })));
    const { findings, runDates, logEntries } = await verify({
      storage: new LocalStorage(root.path),
      all: true,
    });
    expect({ findings, logEntries, dates: runDates.map(({ runDate }) => runDate).sort() }).toEqual({
      findings: [],
      logEntries: 3,
      dates,
    });
  });
});

describe('a run that slept past the expiry of its lock', () => {
  it.each([
    ['while it read', 'slice-written'],
    ['before it began to publish', 'ready'],
  ] as const)('%s publishes nothing over its successor', async (_, moment) => {
    await using api = await startFixtureApi({ sizes: [3, 1200, 40] });
    await using root = await temporaryFolder();
    let slept: Promise<unknown> | undefined;
    // The first run stops inside a page until the second one, for which its lock has run out, has ended.
    const sleeper = take(api, root.path, {
      concurrency: 1,
      sink: sleepySink(moment === 'ready' ? 3 : 2, () => {
        slept ??= take(api, root.path, { clock: moved(LOCK_EXPIRES_AFTER + 1) });
        return slept;
      }),
    });
    await expect(sleeper).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    await slept;
    await expectWhole(root.path, api);
    expect((await readdir(join(root.path, '_staging'))).filter((name) => name !== 'tmp')).toEqual([]);
  });
});

describe('a run that sleeps while it puts its data in place', () => {
  it('leaves the data of its successor alone, wherever that one keeps its staging', async () => {
    await using api = await startFixtureApi({ sizes: [3, 1200, 40] });
    await using root = await temporaryFolder();
    await using state = await temporaryFolder();
    const clock = moved(0);
    class Sleepy extends LocalStorage {
      slept = false;
      override async replaceFolder(folder: string, staged: StagedFolder) {
        if (!this.slept) {
          this.slept = true;
          api.insertUser(String(api.organizations()[0]?.uuid));
          clock.now = () => Date.now() + LOCK_EXPIRES_AFTER + 1;
          await take(api, root.path, { state: state.path, clock });
        }
        await super.replaceFolder(folder, staged);
      }
    }
    const sleeper = take(api, root.path, { storage: new Sleepy(root.path), clock });
    await expect(sleeper).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    await expectWhole(root.path, api);
  });
});

/** NDJSON, with a pause before the n-th file is finished. */
function sleepySink(nth: number, pause: () => Promise<unknown>): Sink {
  const ndjson = createSink('ndjson');
  let files = 0;
  return {
    ...ndjson,
    async *encode(schema, batches) {
      files += 1;
      const isSleepy = files === nth;
      for await (const chunk of ndjson.encode(schema, batches)) yield chunk;
      if (isSleepy) await pause();
    },
  };
}
