import type { Manifest } from '../../src/index.js';
import { count } from './counts.js';
import { unavailableLists } from './unavailable.js';

/** `25 organizations, 20,000 users`, in the order of the streams. What the API does not serve is unknown, not none. */
export function rowCounts({ tables }: Pick<Manifest, 'tables'>): string {
  const unknown = unavailableLists({ tables }).filter(({ lists, of }) => lists === of);
  return Object.entries(tables)
    .map(([name, { rows }]) =>
      unknown.some(({ stream }) => stream === name) ? `${name} unknown` : `${count(rows)} ${name}`,
    )
    .join(', ');
}

/** `complete snapshot of 2026-11-23: 25 organizations, 20,000 users` */
export const snapshotLine = (manifest: Manifest): string =>
  `${manifest.status} snapshot of ${manifest.run_date}: ${rowCounts(manifest)}`;
