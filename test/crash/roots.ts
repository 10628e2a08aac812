import { join } from 'node:path';
import { expect } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Layout, LocalStorage, type Manifest, readManifest } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships, temporaryFolder } from '../snapshot/tree.js';
import { type Command, type Place, run } from './command.mjs';
import { copyOfBuild } from './run-process.js';

export const RUN_DATE = '2026-11-23';
export const OLD_DATES = ['2026-11-20', '2026-11-21', '2026-11-22'] as const;

/** Few rows, and yet several parts. */
const ROWS_PER_FILE = 10;

export const dump = (api: FixtureApi, layout: Layout, runDate = RUN_DATE): Command => ({
  name: 'dump',
  client: { apiKey: api.key, baseUrl: api.url, requestsPerMinute: 0, pageSize: ROWS_PER_FILE },
  settings: { runDate, layout, rowsPerFile: ROWS_PER_FILE, concurrency: 1, maxShrink: 100 },
});

export const compact = (layout: Layout): Command => ({
  name: 'compact',
  settings: { runDate: RUN_DATE, layout, rowsPerFile: ROWS_PER_FILE },
});

/** Of all but the run date. */
export const prune: Command = { name: 'prune', settings: { keepDays: 1 }, now: `${RUN_DATE}T12:00:00Z` };

/** A root on the disk, with its stagings where they lie by default. */
export const onDisk = (root: string): Place => ({ root, state: join(root, '_staging'), options: {} });

export type Rows = Awaited<ReturnType<typeof rowsOf>>;

/** One state of the directory. */
export interface Served {
  api: FixtureApi;
  /** A root that holds it, per-org. */
  root: string;
  /** Its users in the order served. */
  users: Rows;
}

export interface Roots extends AsyncDisposable {
  /** The folder of the built library. */
  built: string;
  /** For what a test puts on the disk. */
  folder: string;
  small: Served;
  /** The same organisations on a later hour: another one has no users now, and one has several parts. */
  large: Served;
  /** Holds what the large one does, per-date. */
  compacted: string;
  /** Holds the small one at each of the old dates, in both layouts, and the large one at the run date. */
  dated: string;
}

/** Makes the roots from which every test goes. @param name of a copy of the build */
export async function openRoots(name: string): Promise<Roots> {
  const built = await copyOfBuild(name);
  const folder = await temporaryFolder();

  const make = async (name: string, ...commands: Command[]): Promise<string> => {
    const root = join(folder.path, name);
    for (const command of commands) await run(built, command, onDisk(root));
    return root;
  };
  const serve = async (name: string, sizes: readonly number[]): Promise<Served> => {
    const api = await startFixtureApi({ sizes });
    const root = await make(name, dump(api, 'per-org'));
    const storage = new LocalStorage(root);
    const users = await rowsOf(storage, (await readManifest(storage, RUN_DATE)) as Manifest, 'users');
    expect(memberships(users)).toEqual(servedMemberships(api));
    return { api, root, users };
  };

  const small = await serve('small', [2, 5, 0]);
  const large = await serve('large', [25, 0, 3]);
  const olds = OLD_DATES.map((date, i) => dump(small.api, i === 1 ? 'per-date' : 'per-org', date));
  return {
    built,
    folder: folder.path,
    small,
    large,
    compacted: await make('compacted', dump(large.api, 'per-org'), compact('per-date')),
    dated: await make('dated', ...olds, dump(large.api, 'per-org')),
    async [Symbol.asyncDispose]() {
      await small.api.close();
      await large.api.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
