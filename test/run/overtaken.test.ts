import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  type Clock,
  createSink,
  type FinishedFile,
  LocalStorage,
  readManifest,
  type Sink,
  systemClock,
  verify,
} from '../../src/index.js';
import { LEASE_MS } from '../../src/lake/lease.js';
import { moved } from './support/clocks.js';
import { askedSince } from './support/interrupted.js';
import {
  memberships,
  RUN_DATE,
  rowsOf,
  servedMemberships,
  stagedRuns,
  take,
  temporaryFolder,
  uuidOf,
} from './support/tree.js';

async function expectComplete(root: string, api: FixtureApi): Promise<void> {
  const storage = new LocalStorage(root);
  const manifest = await readManifest(storage, RUN_DATE);
  expect(manifest?.status).toBe('complete');
  expect((await verify({ storage, all: true })).findings).toEqual([]);
  if (manifest) expect(memberships(await rowsOf(root, manifest, 'users'))).toEqual(servedMemberships(api));
}

describe('two dumps at once', () => {
  it('of one date end with one published and one that says who is at it, three times out of three', async () => {
    await using api = await startFixtureApi({ sizes: [3, 20], latency: 20 });
    for (let pair = 0; pair < 3; pair += 1) {
      await using root = await temporaryFolder();
      const results = await Promise.allSettled([take(api, root.path), take(api, root.path)]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [loser] = results.filter((result) => result.status === 'rejected');
      expect(loser?.reason).toMatchObject({ code: 'locked', exitCode: 75 });
      await expectComplete(root.path, api);
    }
  });

  it('of several dates do not disturb each other', async () => {
    await using api = await startFixtureApi({ sizes: [3, 20], latency: 20 });
    await using root = await temporaryFolder();
    const dates = ['2026-11-21', '2026-11-22', RUN_DATE];
    await Promise.all(dates.map((runDate) => take(api, root.path, { runDate })));
    const { findings, runDates, head } = await verify({ storage: new LocalStorage(root.path), all: true });
    expect([findings, head.entries]).toEqual([[], 3]);
    expect(runDates.map(({ runDate }) => runDate).sort()).toEqual(dates);
  });
});

describe('a dump that stood still for longer than its lease', () => {
  it('in the middle of a list publishes nothing over its successor, which resumes what it had read', async () => {
    await using api = await startFixtureApi({ sizes: [3, 20, 10] });
    await using root = await temporaryFolder();
    let successor: ReturnType<typeof take> | undefined;
    let asked: string[] = [];
    const sleeper = take(api, root.path, {
      concurrency: 1,
      sink: pausing(3, async () => {
        const before = api.requests.length;
        successor = take(api, root.path, { clock: moved(LEASE_MS + 1) });
        await successor;
        asked = askedSince(api, before);
      }),
    });
    await expect(sleeper).rejects.toMatchObject({ exitCode: 75 });
    const { attempts, run_id } = (await successor) as Awaited<ReturnType<typeof take>>;
    expect([attempts.length, attempts.at(-1)]).toEqual([2, run_id]);
    expect(asked.sort()).toEqual([uuidOf(api, 1), uuidOf(api, 2)].sort());
    await expectComplete(root.path, api);
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
  });

  it('while its files are put into the root removes them again, wherever its successor works', async () => {
    await using api = await startFixtureApi({ sizes: [3, 20, 10] });
    await using root = await temporaryFolder();
    await using state = await temporaryFolder();
    class Sleepy extends LocalStorage {
      override async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
        await super.put(files.slice(0, 2), signal);
        api.insertUser(uuidOf(api, 0));
        await take(api, root.path, { state: state.path, clock: moved(LEASE_MS + 1) });
        await super.put(files.slice(2), signal);
      }
    }
    const sleeper = take(api, root.path, { storage: new Sleepy(root.path) });
    await expect(sleeper).rejects.toMatchObject({ name: 'LockedError', exitCode: 75 });
    await expectComplete(root.path, api);
  });

  it('is stopped at once when it finds out, and what it had read is older than what is published, so it is read again', async () => {
    await using api = await startFixtureApi({ sizes: [3, 20, 10] });
    await using root = await temporaryFolder();
    await using here = await temporaryFolder();
    await using there = await temporaryFolder();
    api.fault({ match: { organizationUuid: uuidOf(api, 2), times: 1 }, do: { type: 'hang' } });
    const { clock, wake } = sleepingClock();
    const sleeper = take(api, root.path, { state: here.path, concurrency: 1, clock });
    const stopped = expect(sleeper).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    await vi.waitFor(() => expect(askedSince(api, 0)).toContain(uuidOf(api, 2)));
    await take(api, root.path, { state: there.path, clock: moved(LEASE_MS + 1) });
    wake();
    await stopped; // although the API would never have answered
    expect(await stagedRuns(join(here.path, '_staging'))).toHaveLength(1);
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { state: here.path, clock: moved(LEASE_MS + 1) });
    expect(manifest.attempts).toHaveLength(1);
    expect(askedSince(api, asked)).toHaveLength(3);
    await expectComplete(root.path, api);
    expect(await stagedRuns(join(here.path, '_staging'))).toEqual([]);
  });
});

/** The machine's clock, of which no wait ends before `wake`: a lease is not renewed until then. */
function sleepingClock(): { clock: Clock; wake: () => void } {
  const ending = new AbortController();
  const sleep: Clock['sleep'] = async (_, signal) => {
    const signals = [ending.signal, ...(signal ? [signal] : [])];
    await systemClock.sleep(2 ** 30, AbortSignal.any(signals)).catch(() => signal?.throwIfAborted());
  };
  return { clock: { ...systemClock, sleep }, wake: () => ending.abort() };
}

/** NDJSON, with a pause before the n-th file is finished. */
function pausing(nth: number, pause: () => Promise<unknown>): Sink {
  const ndjson = createSink('ndjson');
  let files = 0;
  return {
    ...ndjson,
    async *encode(schema, batches) {
      files += 1;
      const isNth = files === nth;
      for await (const chunk of ndjson.encode(schema, batches)) yield chunk;
      if (isNth) await pause();
    },
  };
}
