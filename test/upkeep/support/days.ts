import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../../fixtures/api/index.js';
import {
  type DatedFiles,
  LocalStorage,
  type PruneOptions,
  type PrunePlan,
  prune,
  readManifest,
  verify,
} from '../../../src/index.js';
import { stoppedAt } from '../../run/support/clocks.js';
import { dataBelow, take, temporaryFolder } from '../../run/support/tree.js';

export const TODAY = '2026-11-23';
export const DAYS = ['2026-11-20', '2026-11-21', '2026-11-22', TODAY];
export const noon = stoppedAt(`${TODAY}T12:00:00Z`);

/** Prunes a root at noon of today. */
export const pruned = (root: string, options: Partial<PruneOptions>): Promise<PrunePlan> =>
  prune({ storage: new LocalStorage(root), clock: noon, ...options });

export const datesOf = (dated: readonly DatedFiles[]): string[] => dated.map(({ runDate }) => runDate);

export const statusOf = async (root: string, runDate: string) =>
  (await readManifest(new LocalStorage(root), runDate))?.status;

export const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

export async function takeDays(api: FixtureApi, root: string, days: readonly string[]): Promise<void> {
  for (const runDate of days) await take(api, root, { runDate });
}

/** The run dates that still have files, in any table. */
export async function datesBelow(root: string): Promise<string[]> {
  const paths = Object.keys(await dataBelow(root));
  return [...new Set(paths.map((path) => /run_date=([\d-]+)/.exec(path)?.[1] ?? path))];
}

/** Roots with a snapshot for each of the four days, or for the first and the last; made once for a test file. */
export function dayRoots() {
  let api: FixtureApi;
  let templates: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [3, 4] });
    templates = await temporaryFolder();
    await takeDays(api, join(templates.path, 'four'), DAYS);
    await takeDays(api, join(templates.path, 'two'), ['2026-11-20', TODAY]);
  });
  afterAll(async () => {
    await api.close();
    await templates[Symbol.asyncDispose]();
  });
  return {
    get api() {
      return api;
    },
    async rootWith(days: 'four' | 'two') {
      const root = await temporaryFolder();
      await cp(join(templates.path, days), root.path, { recursive: true });
      return root;
    },
  };
}
