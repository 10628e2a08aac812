import { readdir } from 'node:fs/promises';
import { expect } from 'vitest';
import {
  type Finding,
  type Layout,
  type Manifest,
  manifestFiles,
  openStorage,
  readManifest,
  type Storage,
  verify,
} from '../../src/index.js';
import { readLog } from '../../src/snapshot/log.js';
import { rowsOf } from '../snapshot/tree.js';
import { type Command, type Place, run } from './command.mjs';
import type { Rows } from './roots.js';

/** What may come after a kill. */
export interface Ending {
  /** Another command that comes in between; it may refuse to end what is not its own. */
  between?: Command;
  command: Command;
  outcome: Outcome;
}

/** How a root stands when all is done. */
export interface Outcome {
  dates: Readonly<Record<string, 'pruned' | { layout: Layout; users: Rows }>>;
  /** What the log may tell: which entries there are can depend on where it was killed. */
  logs: readonly (readonly string[])[];
}

/** After a kill anywhere: no manifest is lost, and one that promises whole files is one over its own. */
export async function expectNoLie(
  { root, options }: Place,
  served: Readonly<Record<string, readonly Rows[]>>,
): Promise<void> {
  const storage = await openStorage(root, options);
  const { runDates, findings } = await verify({ storage, all: true });
  expect(runDates.map(({ runDate }) => runDate).sort()).toEqual(Object.keys(served).sort());
  const statuses = new Map(runDates.map(({ runDate, status }) => [runDate, status]));
  expect(findings.filter((finding) => !isTold(finding, statuses.get(finding.runDate ?? '')))).toEqual([]);
  for (const [runDate, status] of statuses) {
    if (status === 'publishing' || status === 'pruned') continue;
    const { layout, rows } = await usersOf(storage, runDate);
    expect(served[runDate]?.map((users) => inOrder(users, layout))).toContainEqual(rows);
  }
}

/** What the next run puts right, and the manifest tells until then. */
function isTold({ problem, runDate }: Finding, status: Manifest['status'] | undefined): boolean {
  if (problem === 'status') return status === 'publishing';
  if (problem === 'extra') return status === 'pruned';
  return problem === 'log' && runDate !== undefined; // killed between a manifest and its entry; the chain is whole
}

/** The next run puts right what a kill left. It runs in this process: to start one takes longer than the run. */
export async function expectEnding(
  { between, command, outcome }: Ending,
  { built, place }: { built: string; place: Place },
): Promise<void> {
  if (between) {
    await run(built, between, place).catch((error) => {
      if (error.code !== 'publication_cut_short') throw error;
    });
  }
  await run(built, command, place);
  await expectOutcome(place, outcome);
}

/** All is as it was to be, and nothing else lies there. */
async function expectOutcome({ root, options, state }: Place, { dates, logs }: Outcome): Promise<void> {
  const storage = await openStorage(root, options);
  const { runDates, findings } = await verify({ storage, all: true });
  expect(findings).toEqual([]);
  expect(runDates.map(({ runDate }) => runDate).sort()).toEqual(Object.keys(dates).sort());
  const listed = new Set<string>();
  for (const { runDate, status } of runDates) {
    const expected = dates[runDate];
    expect(status).toBe(expected === 'pruned' ? 'pruned' : 'complete');
    if (expected === undefined || expected === 'pruned') continue;
    const { layout, rows, paths } = await usersOf(storage, runDate);
    expect(layout).toBe(expected.layout);
    expect(rows).toEqual(inOrder(expected.users, layout));
    for (const path of paths) listed.add(path);
  }
  const { entries } = await readLog(storage);
  expect(logs).toContainEqual(entries.map(({ action, run_date }) => `${action} ${run_date}`));
  const left = await readdir(state, { recursive: true }).catch(() => []);
  expect(left.filter((name) => name !== 'tmp')).toEqual([]);
  for await (const { key } of storage.list('')) if (!key.startsWith('_runs/')) expect(listed).toContain(key);
}

async function usersOf(storage: Storage, runDate: string) {
  const manifest = (await readManifest(storage, runDate)) as Manifest;
  const rows = await rowsOf(storage, manifest, 'users');
  return { layout: manifest.layout, rows, paths: manifestFiles(manifest).map(({ path }) => path) };
}

/** Users in the order in which the files of a layout hold them. */
function inOrder(users: Rows, layout: Layout): Rows {
  if (layout === 'per-org') return users;
  return users.toSorted((a, b) => String(a.organization_uuid).localeCompare(String(b.organization_uuid)));
}
