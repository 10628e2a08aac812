import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { forEachConcurrently } from '../../src/concurrency.js';
import { LocalStorage, openStorage, type Storage } from '../../src/index.js';
import { publish } from '../../src/lake/day.js';
import { openDay, prepare, RUN_DATE } from '../root/support/day.js';
import { motoOptions } from '../storage/servers/moto.js';
import { startProxy } from '../storage/servers/proxy.js';
import {
  contentsOf,
  currentEntries,
  entriesOf,
  filesOf,
  manifestAt,
  manifestKeyOf,
} from './support/contents.js';
import { openDiskRoots, type RealScenario } from './support/disk-roots.js';
import { copyOfBuild, type RealPlace, RealProcess } from './support/real-process.js';
import { declareDead, expectSettled, repair } from './support/repair.js';
import { Root } from './support/root.js';

/** Of the requests of each command that change the bucket. */
const KILLS = 6;

const endpoint = process.env.S3_ENDPOINT ?? '';
const roots = await openDiskRoots();
afterAll(() => roots[Symbol.asyncDispose]());
const { states } = roots;
const built = await copyOfBuild('crash-build-s3');

const open = (location: string): Promise<Storage> => openStorage(location, motoOptions(endpoint));

/** Puts what a folder holds under a prefix of its own. */
async function onBucket(start: string): Promise<string> {
  const location = `s3://lake/${randomUUID()}`;
  const [from, to] = [new LocalStorage(start), await open(location)];
  for await (const { key } of from.list('')) await to.write(key, from.read(key));
  return location;
}

/** What a command line may be given; the rest is found in the environment. */
const optionsOf = (endpoint: string): RealPlace['options'] => ({ endpoint, region: 'us-east-1' });

interface Kill {
  /** Of the requests that change the bucket, counted from 1; 0: none. */
  at: number;
  when: 'before' | 'after';
}

/** Runs a command that is killed at one of its requests. @returns how many changed the bucket */
async function killAt({ at, when }: Kill, { command }: RealScenario, root: string) {
  let changes = 0;
  let victim: RealProcess | undefined;
  await using proxy = await startProxy(endpoint, {
    cut({ method }) {
      if (!['PUT', 'POST', 'DELETE'].includes(method)) return undefined;
      changes += 1;
      if (changes !== at) return changes > at && at > 0 ? 'before' : undefined;
      victim?.child.kill('SIGKILL');
      return when;
    },
  });
  const place = { root, state: states.fresh(), options: optionsOf(proxy.endpoint) ?? {} };
  victim = RealProcess.start({ built, args: command(place) });
  const exitCode = await victim.end();
  return { changes, exitCode, stderr: victim.stderr };
}

const sampleOf = (steps: number): Kill[] =>
  Array.from({ length: KILLS }, (_, i) => ({
    at: 1 + Math.round((i * (steps - 1)) / (KILLS - 1)),
    when: i % 2 === 0 ? 'after' : 'before',
  }));

describe.each(roots.scenarios)('$name on a bucket', { timeout: 300_000 }, (scenario) => {
  it('that is killed at a request leaves the old snapshot or the new one, and another machine repairs the rest', async () => {
    const { changes, exitCode, stderr } = await killAt(
      { at: 0, when: 'before' },
      scenario,
      await onBucket(scenario.start),
    );
    expect(exitCode, stderr).toBe(0);
    expect(changes).toBeGreaterThan(8);
    await forEachConcurrently([...sampleOf(changes).entries()], { limit: 2 }, async ([index, kill]) => {
      const where = `killed ${kill.when} request ${kill.at} of ${changes}`;
      const location = await onBucket(scenario.start);
      expect((await killAt(kill, scenario, location)).exitCode, where).toBe(null);
      const root = new Root(await open(location));
      expect(await root.wrongNow(scenario.served), where).toEqual([]);
      await declareDead(root);
      const ending = scenario.endings[index % scenario.endings.length] ?? scenario.endings[0];
      await repair(root, ending, { ...scenario, at: Date.now() }, states.fresh());
    });
    console.log(`killed ${scenario.name} at ${KILLS} of ${changes} requests that change a bucket`);
  });
});

it('ten times out of ten, one of ten runs that publish a day of a bucket at once without a lease wins, and there is no mix', {
  timeout: 300_000,
}, async () => {
  const location = `s3://lake/${randomUUID()}`;
  const staged = states.fresh();
  for (let round = 1; round <= 10; round += 1) {
    const days = await Promise.all(Array.from({ length: 10 }, async () => openDay(await open(location))));
    const results = await Promise.allSettled(
      days.map(async (day, i) => {
        const { manifest, files } = await prepare(day, staged, [i + 1, round]);
        await publish(day, manifest, files);
        return manifest;
      }),
    );
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(winners).toHaveLength(1);
    for (const error of losers) expect(error).toMatchObject({ code: 'commit_conflict', exitCode: 75 });

    const contents = await contentsOf(await open(location));
    expect(entriesOf(contents)).toHaveLength(round);
    const entry = currentEntries(contents).get(RUN_DATE);
    expect(entry?.run_id).toBe(winners[0]?.written.run_id);
    const manifest = entry && manifestAt(contents, manifestKeyOf(entry));
    const named = manifest ? filesOf(manifest).map(({ path }) => path) : [];
    expect([...contents.keys()].filter((key) => !key.startsWith('_runs/')).sort()).toEqual(named.sort());
    await expectSettled(new Root(await open(location)));
  }
});
