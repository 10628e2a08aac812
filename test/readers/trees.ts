import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FixtureApi } from '../../fixtures/api/index.js';
import { type Row, type StreamSchema, streams } from '../../src/index.js';
import { environmentOf, say } from '../cli/command.js';
import { servedRows } from '../served-rows.js';
import { thinOut } from '../thin-out.js';

/** The oldest first. */
export const DATES = ['2026-11-22', '2026-11-23'] as const;
export const FORMATS = ['parquet', 'arrow', 'csv', 'ndjson'];
/** Of every stream, by name. */
export const SCHEMAS: Record<string, StreamSchema> = Object.fromEntries(
  streams.map(({ name, schema }) => [name, schema]),
);

const [OLDEST, NEWEST] = DATES;

/** By name: the layout that each tree is dumped in, and the days that are compacted then. */
const TREES: Record<string, { layout: string; compacted: readonly string[] }> = {
  'per-org': { layout: 'per-org', compacted: [] },
  'per-date': { layout: 'per-date', compacted: [] },
  compacted: { layout: 'per-org', compacted: DATES },
  'oldest-compacted': { layout: 'per-org', compacted: [OLDEST] },
  'newest-compacted': { layout: 'per-org', compacted: [NEWEST] },
};
export const TREE_NAMES = Object.keys(TREES);
/** Those with days of both layouts, and the day of each that was not compacted. */
export const MIXED = [
  ['oldest-compacted', NEWEST],
  ['newest-compacted', OLDEST],
] as const;
/** Its files of all days but the oldest are of no format: opening them fails. */
export const SPOILED = 'spoiled';

/** By stream. */
export type Rows = Record<string, Row[]>;

/**
 * Makes the trees, each in a folder of its name. On the newest day the first organisation has one user more.
 * @returns what was served, by day
 */
export async function makeTrees(folder: string, api: FixtureApi): Promise<Record<string, Rows>> {
  const served: Record<string, Rows> = {};
  thinOut(api);
  const dumped = ['per-org', 'per-date'];
  for (const date of DATES) {
    if (date === NEWEST) api.insertUser(firstOrganization(api));
    for (const layout of dumped) {
      const flags = ['--out', join(folder, layout), '--layout', layout, '--run-date', date];
      const asked = ['--streams', ...Object.keys(SCHEMAS), '--format', ...FORMATS];
      await succeed(
        ['dump', ...flags, ...asked, '--requests-per-minute', '0', '--progress', 'none'],
        environmentOf(api),
      );
    }
    served[date] = servedRows(api, date, streams);
  }
  for (const [tree, { layout, compacted }] of Object.entries(TREES)) {
    if (tree === layout) continue;
    await cp(join(folder, layout), join(folder, tree), { recursive: true });
    for (const format of FORMATS)
      for (const date of compacted)
        await succeed(['compact', '--out', join(folder, tree, format), '--run-date', date]);
  }
  await makeSpoiled(folder);
  return served;
}

async function makeSpoiled(folder: string): Promise<void> {
  const users = join(folder, SPOILED, 'parquet/users');
  await cp(join(folder, 'oldest-compacted/parquet/users'), users, { recursive: true });
  const day = join(users, `run_date=${NEWEST}`);
  const entries = await readdir(day, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile()))
    await writeFile(join(entry.parentPath, entry.name), 'no file of any format\n'.repeat(40));
}

async function succeed(args: readonly string[], environment = {}): Promise<void> {
  const { code, stderr } = await say(args, environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

export const firstOrganization = (api: FixtureApi): string => String(api.organizations()[0]?.uuid);
