import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LocalStorage, systemClock } from '../../src/index.js';
import { environmentOf, say } from '../cli/command.js';
import { dump } from './support/commands.js';
import { mortal } from './support/mortal.js';
import { declareDead } from './support/repair.js';
import { Root } from './support/root.js';
import { isCommit } from './support/scenarios.js';
import { type Served, serve } from './support/served.js';
import { temporaryState } from './support/state.js';

const small = await serve([2, 5]);
const large = await serve([25, 3]);
const states = await temporaryState();
afterAll(async () => {
  for (const each of [small, large, states]) await each[Symbol.asyncDispose]();
});

const RUN = '20200101T000000Z-0123abcd';
/** What is nobody's of ours, however near its name comes. */
const NAMES = ['thesis.txt', '.hidden', 'part-00000-mine.ndjson', `${RUN}.json.old`, `my ${RUN}/thesis.txt`];
const A_YEAR = 365 * 24 * 60 * 60_000;

const [FIRST, SECOND] = ['2025-06-01', '2025-06-02'];

interface Operation {
  name: string;
  run(base: string): Promise<unknown>;
}

const command =
  (served: Served, args: (place: { root: string; home: string; base: string }) => string[]) =>
  async (base: string): Promise<void> => {
    const place = { root: join(base, 'root'), home: join(base, 'home'), base };
    const { code, stderr } = await say(args(place), environmentOf(served.api));
    expect(code, stderr).toBe(0);
  };

const dumpArgs = (root: string, runDate: string): string[] => [
  ...['dump', '--out', root, '--format', 'ndjson', '--run-date', runDate, '--max-shrink', '100'],
  ...['--requests-per-minute', '0'],
];

/** A dump that dies before its commit, and is known to be dead. */
async function dieBeforeCommit(base: string): Promise<void> {
  const root = new Root(new LocalStorage(join(base, 'root')));
  for (let at = 1; ; at += 1) {
    const victim = mortal(root.storage, { at, mishap: 'dies before' });
    const place = { storage: victim.storage, state: join(base, 'home'), clock: systemClock };
    await dump(large, 'per-org', SECOND)(place).catch(() => undefined);
    await declareDead(root);
    if (!victim.step || isCommit(victim.step)) return;
  }
}

const operations: Operation[] = [
  { name: 'a dump', run: command(small, ({ root, home }) => [...dumpArgs(root, FIRST), '--state', home]) },
  { name: 'a dump of the same day', run: command(large, ({ root }) => dumpArgs(root, FIRST)) },
  { name: 'a dump of another day', run: command(small, ({ root }) => dumpArgs(root, SECOND)) },
  { name: 'dumps that die', run: dieBeforeCommit },
  {
    name: 'a dump after a death',
    run: command(small, ({ root, home }) => [...dumpArgs(root, SECOND), '--state', home]),
  },
  {
    name: 'a compaction',
    run: command(small, ({ root, home }) => [
      'compact',
      '--out',
      root,
      '--run-date',
      SECOND,
      '--state',
      home,
    ]),
  },
  { name: 'a pruning', run: command(small, ({ root }) => ['prune', '--out', root, '--keep-days', '1']) },
  {
    name: 'a load',
    run: command(small, ({ root, home, base }) => [
      'load',
      'duckdb',
      '--from',
      root,
      '--database',
      join(base, 'warehouse.duckdb'),
      '--state',
      home,
    ]),
  },
];

async function foldersBelow(base: string): Promise<string[]> {
  const entries = await readdir(base, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  return ['.', ...folders.map((entry) => relative(base, join(entry.parentPath, entry.name)))];
}

/** Every folder that the operations make and that every run of them makes. */
async function rehearse(): Promise<string[]> {
  const folders = new Set<string>(['beside', 'beside/run_date=2025-06-01']);
  const base = states.fresh();
  await mkdir(base);
  for (const { run } of operations) {
    await run(base);
    for (const folder of await foldersBelow(base))
      if (!/\d{8}T\d{6}Z|\d+\.[0-9a-f]{12}/.test(folder)) folders.add(folder);
  }
  return [...folders];
}

/** A compaction refuses a day that holds files which it does not know. */
const isOfCompactedDay = (folder: string): boolean => /^root\/[a-z]+\/run_date=2025-06-02/.test(folder);

async function plant(base: string, folders: readonly string[]): Promise<string[]> {
  const paths = folders.flatMap((folder) => NAMES.map((name) => join(base, folder, name)));
  const old = new Date(Date.now() - A_YEAR);
  for (const path of paths) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `mine: ${path}`);
    for (const each of [path, dirname(path)]) await utimes(each, old, old);
  }
  return paths;
}

it('no operation removes or changes a file of somebody else, wherever it is in a root, in --state or beside', async () => {
  const folders = await rehearse();
  expect(folders).toEqual(
    expect.arrayContaining(['home/_staging', 'root/_staging/tmp', 'root/_runs/leases']),
  );
  const base = states.fresh();
  const planted = await plant(
    base,
    folders.filter((folder) => !isOfCompactedDay(folder)),
  );
  for (const { name, run } of operations) {
    await run(base);
    if (name === 'a compaction') planted.push(...(await plant(base, folders.filter(isOfCompactedDay))));
    for (const path of planted) expect(await readFile(path, 'utf8'), name).toBe(`mine: ${path}`);
  }
  expect(planted.length).toBeGreaterThan(100);
});
