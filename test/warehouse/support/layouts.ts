import type { FixtureApi } from '../../../fixtures/api/index.js';
import {
  compact,
  LocalStorage,
  type Manifest,
  prune,
  type SnapshotOptions,
  systemClock,
} from '../../../src/index.js';
import { take } from '../../run/support/tree.js';

/** How the rows of a day come to be combined in one file a table. */
export const COMBINED = ['dumped per-date', 'compacted'] as const;

interface Combined extends Pick<SnapshotOptions, 'sink' | 'streams'> {
  layout: (typeof COMBINED)[number];
}

/** A snapshot whose tables have one file each. */
export async function takeCombined(
  api: FixtureApi,
  root: string,
  { layout, ...options }: Combined,
): Promise<Manifest> {
  if (layout === 'dumped per-date') return await take(api, root, { ...options, layout: 'per-date' });
  const { run_date: runDate } = await take(api, root, options);
  const { manifest } = await compact({ storage: new LocalStorage(root), runDate });
  return manifest as Manifest;
}

/** Prunes every day before this one. */
export async function pruneBefore(root: string, day: string): Promise<void> {
  const clock = { ...systemClock, now: () => Date.parse(day) };
  await prune({ storage: new LocalStorage(root), keepDays: 1, clock });
}
