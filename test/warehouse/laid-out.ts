import type { FixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  LocalStorage,
  type Manifest,
  prune,
  type SnapshotOptions,
  systemClock,
} from '../../src/index.js';
import { take } from '../snapshot/tree.js';

/** How the users of a day come to lie together. */
export const LAYOUTS = ['dumped per-date', 'compacted'] as const;

interface LaidOut extends Pick<SnapshotOptions, 'sink'> {
  layout: (typeof LAYOUTS)[number];
}

/** A snapshot whose users lie together. */
export async function takeLaidOut(
  api: FixtureApi,
  root: string,
  { layout, sink }: LaidOut,
): Promise<Manifest> {
  if (layout === 'dumped per-date') return await take(api, root, { sink, layout: 'per-date' });
  const { run_date: runDate } = await take(api, root, { sink });
  const { manifest } = await compact({ storage: new LocalStorage(root), runDate });
  return manifest;
}

/** Prunes every day before this one. */
export async function pruneBefore(root: string, day: string): Promise<void> {
  const clock = { ...systemClock, now: () => Date.parse(day) };
  await prune({ storage: new LocalStorage(root), keepDays: 1, clock });
}
