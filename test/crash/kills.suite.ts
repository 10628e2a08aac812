import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { forEachConcurrently } from '../../src/concurrency.js';
import { openDiskRoots, type RealScenario, rootIn } from './support/disk-roots.js';
import { expectReadOnce } from './support/harm.js';
import { copyOfBuild, RealProcess } from './support/real-process.js';
import { expectSettled, outcomeOf, repair } from './support/repair.js';

/** Of the hundred or so calls of each command that change the file system. */
const KILLS = 12;
const STOPS = 3;
const RESUMPTIONS = 6;

const roots = await openDiskRoots();
afterAll(() => roots[Symbol.asyncDispose]());
const { states } = roots;
const built = await copyOfBuild('crash-build');

const start = (root: string, { command }: RealScenario, environment: Record<string, string>): RealProcess =>
  RealProcess.start({ built, args: command({ root, state: states.fresh() }), environment });

const counts = new Map<RealScenario, number>();

async function countSteps(scenario: RealScenario): Promise<number> {
  const known = counts.get(scenario);
  if (known !== undefined) return known;
  const file = states.fresh();
  const process = start(await roots.copyOf(scenario.start), scenario, { STEPS_TO: file });
  expect(await process.end(), process.stderr).toBe(0);
  const steps = Number(await readFile(file, 'utf8'));
  counts.set(scenario, steps);
  return steps;
}

/** Some of the steps, spread over all of them; among them the first and the last. */
const sampleOf = (steps: number, size: number): number[] =>
  Array.from({ length: size }, (_, i) => 1 + Math.round((i * (steps - 1)) / (size - 1)));

/** In the folder of a root, where another process of this machine may have left unfinished files. */
const temporaries = async (root: string): Promise<string[]> =>
  await readdir(join(root, '_staging', 'tmp')).catch(() => []);

describe.each(roots.scenarios)('$name by a real process', (scenario) => {
  it('that is killed leaves the old snapshot or the new one, and another process repairs the rest', async () => {
    const steps = await countSteps(scenario);
    expect(steps).toBeGreaterThan(50);
    await forEachConcurrently([...sampleOf(steps, KILLS).entries()], { limit: 2 }, async ([index, step]) => {
      const path = await roots.copyOf(scenario.start);
      const process = start(path, scenario, { STEP: `${step}` });
      expect(await process.end(), `killed at ${step} of ${steps}: ${process.stderr}`).toBe(null);
      const root = rootIn(path);
      expect(await root.wrongNow(scenario.served), `killed at ${step} of ${steps}`).toEqual([]);
      const ending = scenario.endings[index % scenario.endings.length] ?? scenario.endings[0];
      await repair(root, ending, { ...scenario, at: Date.now() }, states.fresh());
      expect(await temporaries(path), `killed at ${step} of ${steps}`).toEqual([]);
    });
    console.log(`killed ${scenario.name} at ${KILLS} of ${steps} steps`);
  });

  it('that is stopped for longer than its lease ends with the code 75, unless it had committed', async () => {
    const steps = await countSteps(scenario);
    const [ending] = scenario.endings;
    await forEachConcurrently(sampleOf(steps, STOPS + 2).slice(1, -1), { limit: 2 }, async (step) => {
      const path = await roots.copyOf(scenario.start);
      const process = start(path, scenario, { STEP: `${step}`, SIGNAL: 'SIGSTOP' });
      expect(await process.stopped(), process.stderr).toBe(true);
      await expireLeases(path);
      const root = rootIn(path);
      await repair(root, ending, { ...scenario, at: Date.now() }, states.fresh());
      const outcome = outcomeOf(await root.contents());
      process.child.kill('SIGCONT');
      expect([0, 75], `stopped at ${step} of ${steps}: ${process.stderr}`).toContain(await process.end());
      expect(await root.wrongNow(scenario.served)).toEqual([]);
      await expectSettled(root);
      expect(outcomeOf(await root.contents())).toEqual(outcome);
    });
    console.log(`stopped ${scenario.name} at ${STOPS} of ${steps} steps`);
  });
});

it('a dump by a real process that is killed while it reads is resumed by the same command, and requests nothing again', async () => {
  const [scenario] = roots.scenarios;
  if (!scenario) throw new TypeError('there is a dump');
  const steps = await countSteps(scenario);
  const held: number[] = [];
  for (const step of sampleOf(Math.floor(steps * 0.6), RESUMPTIONS)) {
    const root = await roots.copyOf(scenario.start);
    const state = states.fresh();
    const args = scenario.command({ root, state });
    expect(await RealProcess.start({ built, args, environment: { STEP: `${step}` } }).end()).toBe(null);
    const resume = async (): Promise<void> => {
      const process = RealProcess.start({ built, args });
      expect(await process.end(), process.stderr).toBe(0);
    };
    held.push(await expectReadOnce(roots.dumped, state, resume));
    expect(await rootIn(root).wrongNow(scenario.served)).toEqual([]);
    await expectSettled(rootIn(root));
  }
  const lists = roots.dumped.api.organizations().length;
  expect(held.some((finished) => finished > 0 && finished < lists)).toBe(true);
});

/** As if a minute had passed: no test waits for it. */
async function expireLeases(root: string): Promise<void> {
  const folder = join(root, '_runs', 'leases');
  for (const name of await readdir(folder).catch(() => [])) {
    const lease = JSON.parse(await readFile(join(folder, name), 'utf8'));
    await writeFile(join(folder, name), JSON.stringify({ ...lease, expires_at: new Date(0).toISOString() }));
  }
}
