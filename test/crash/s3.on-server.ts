import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { forEachConcurrently } from '../../src/concurrency.js';
import { LocalStorage, openStorage, type Storage } from '../../src/index.js';
import { motoOptions } from '../storage/servers/moto.js';
import { startProxy } from '../storage/servers/proxy.js';
import type { Command, Place } from './command.mjs';
import { expectEnding, expectNoLie } from './invariants.js';
import { openRoots } from './roots.js';
import { runProcess } from './run-process.js';
import { type Scenario, scenariosOf } from './scenarios.js';

const endpoint = process.env.S3_ENDPOINT ?? '';
const roots = await openRoots('crash-build-s3');
const { built, folder } = roots;
const { dumpPerOrg, compaction, pruning } = scenariosOf(roots);

afterAll(async () => {
  await roots[Symbol.asyncDispose]();
});

async function copyObjects(from: Storage, to: Storage): Promise<void> {
  for await (const { key } of from.list('')) await to.write(key, from.read(key));
}

/** Puts a root of the disk under a prefix of its own. No staging is at hand. */
async function onBucket(start: string): Promise<Place> {
  const root = `s3://lake/${randomUUID()}`;
  const options = motoOptions(endpoint);
  await copyObjects(new LocalStorage(start), await openStorage(root, options));
  return { root, options, state: join(folder, randomUUID()) };
}

interface Kill {
  /** Of the requests that change the bucket, counted from 1; 0: none. */
  at: number;
  when: 'before' | 'after';
}

const NEVER: Kill = { at: 0, when: 'before' };

/** Runs a command that is killed at one of its requests. @returns the methods of those that changed the bucket */
async function killAt({ at, when }: Kill, command: Command, place: Place) {
  const changes: string[] = [];
  let kill = (): void => {};
  await using proxy = await startProxy(endpoint, {
    cut({ method }) {
      if (!['PUT', 'POST', 'DELETE'].includes(method)) return undefined;
      changes.push(method);
      if (changes.length !== at) return changes.length > at && at > 0 ? 'before' : undefined;
      kill();
      return when;
    },
  });
  const exitCode = await runProcess({
    built,
    command,
    place: { ...place, options: motoOptions(proxy.endpoint) },
    onStart(action) {
      kill = action;
    },
  });
  return { changes, exitCode };
}

/** Kills a scenario before and after each of its requests, two at a time. @returns the methods of them */
async function killEverywhere({ name, start, command, served, endings }: Scenario): Promise<string[]> {
  const { changes, exitCode } = await killAt(NEVER, command, await onBucket(start));
  expect(exitCode).toBe(0);
  const kills = changes.flatMap((_, index): Kill[] => [
    { at: index + 1, when: 'before' },
    { at: index + 1, when: 'after' },
  ]);
  await forEachConcurrently(kills, { limit: 2 }, async (kill) => {
    try {
      const place = await onBucket(start);
      expect((await killAt(kill, command, place)).exitCode).toBe(null);
      await expectNoLie(place, served);
      await expectEnding(endings[0], { built, place });
    } catch (error) {
      const where = `killed ${kill.when} request ${kill.at} of ${changes.length}`;
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  });
  process.stdout.write(
    `killed before and after each of ${changes.length} requests of ${name}, on a bucket\n`,
  );
  return changes;
}

/** A scenario that goes on from a kill, on a machine that has nothing of what was staged. */
async function elsewhere(scenario: Scenario, kill: Kill): Promise<Scenario> {
  const place = await onBucket(scenario.start);
  expect((await killAt(kill, scenario.command, place)).exitCode).toBe(null);
  const start = join(folder, randomUUID());
  await copyObjects(await openStorage(place.root, place.options), new LocalStorage(start));
  return { ...scenario, name: `${scenario.name} that goes on elsewhere`, start };
}

describe('what is killed at any request that changes a bucket never lies, and the next run converges:', {
  timeout: 1_800_000,
}, () => {
  it.each([
    ['a dump', dumpPerOrg],
    ['a pruning', pruning],
  ])('%s', async (_, scenario) => {
    expect((await killEverywhere(scenario)).length).toBeGreaterThan(8);
  });

  it('a compaction, also where its staging is lost', async () => {
    const changes = await killEverywhere(compaction);
    expect(changes.length).toBeGreaterThan(8);
    const firstRemoval = changes.indexOf('DELETE') + 1;
    expect(firstRemoval).toBeGreaterThan(0);
    for (const when of ['before', 'after'] as const) {
      const cutShort = await elsewhere(compaction, { at: firstRemoval, when });
      expect((await killEverywhere(cutShort)).length).toBeGreaterThan(3);
    }
  });
});
