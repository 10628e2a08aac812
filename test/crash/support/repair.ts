import { expect } from 'vitest';
import { verify } from '../../../src/index.js';
import { violations } from '../invariants.js';
import { clockAt, LATER } from './clock-at.js';
import { type Contents, currentEntries, manifestAt, manifestKeyOf } from './contents.js';
import { deadProcess } from './dead-process.js';
import type { Root } from './root.js';
import type { Ending, Outcome, Scenario } from './scenarios.js';
import { idsOf } from './served.js';

/** What the run dates hold, by the log. */
export function outcomeOf(contents: Contents): Outcome {
  const dates = [...currentEntries(contents)].sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(
    dates.map(([runDate, entry]) => {
      const manifest = manifestAt(contents, manifestKeyOf(entry));
      if (!manifest) throw new Error(`the manifest of ${runDate} is missing`);
      return [runDate, manifest.status === 'pruned' ? 'pruned' : idsOf(contents, manifest)];
    }),
  );
}

/** Makes every lease of a root one whose process is known to be dead: nobody has to wait until it expires. */
export async function declareDead(root: Root): Promise<void> {
  for (const [key, bytes] of await root.contents()) {
    if (!/^_runs\/leases\/[\d-]+\.json$/.test(key)) continue;
    const lease = { ...JSON.parse(String(bytes)), process: deadProcess };
    await root.storage.write(key, once(Buffer.from(JSON.stringify(lease))));
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Another process, which has nothing of what the first one staged, brings a copy of the root to a good end. */
export async function expectRepair(left: Root, ending: Ending, before: Before, state: string): Promise<void> {
  await repair(await left.copy(), ending, before, state);
}

/** What was done to the root before, and when. */
type Before = Pick<Scenario, 'at' | 'served'>;

/** Another process, which has nothing of what the first one staged, brings the root to a good end. */
export async function repair(
  root: Root,
  { command, outcomes, after = LATER }: Ending,
  { at, served }: Before,
  state: string,
): Promise<void> {
  await command({ storage: root.open(), state, clock: clockAt(at + after) });
  expect(await root.wrongNow(served)).toEqual([]);
  await expectSettled(root);
  expect(outcomes).toContainEqual(outcomeOf(await root.contents()));
}

/** Everything is as the log says, and nothing else is there. */
export async function expectSettled(root: Root): Promise<void> {
  expect(violations('settled', await root.contents())).toEqual([]);
  expect((await verify({ storage: root.storage, all: true })).findings).toEqual([]);
}
