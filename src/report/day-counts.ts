import { type ListState, listStates } from '../diff/list-states.js';
import { type Manifest, sum } from '../lake/manifest.js';
import { organizations } from '../streams/organizations.js';
import { users } from '../streams/users.js';
import type { Count, ReportDay } from './data.js';

/** What a manifest says of its day. @param largest the organisations to be counted one by one */
export function dayCounts(manifest: Manifest, largest: readonly string[]): ReportDay {
  const stateOf = listStates(manifest);
  const list = stateOf(organizations, {});
  return {
    date: manifest.run_date,
    status: manifest.status,
    organizations: list.state === 'read' ? list.slice.rows : null,
    memberships: membershipsIn(manifest),
    members: largest.map((uuid) => countOf(stateOf(users, { organization_uuid: uuid }))),
  };
}

/** A day of which there is nothing. */
export const emptyDay = (
  date: string,
  status: 'no_snapshot' | 'unreadable',
  largest: readonly string[],
): ReportDay => ({
  date,
  status,
  organizations: null,
  memberships: null,
  members: largest.map(() => 'not_read' as const),
});

/** The members of all organisations; null unless every list of them was read, and the list of the organisations. */
export function membershipsIn(manifest: Manifest): number | null {
  const { slices } = manifest.tables[users.name] ?? {};
  const isListed = listStates(manifest)(organizations, {}).state === 'read';
  if (!slices || !isListed || slices.some(({ verdict }) => verdict !== 'complete')) return null;
  return sum(slices, 'rows');
}

/** The organisations with the most members, by their lists. */
export function largestOf({ tables }: Manifest, limit: number): string[] {
  const lists = (tables[users.name]?.slices ?? []).map(({ parent, rows }) => ({
    uuid: parent.organization_uuid ?? '',
    rows,
  }));
  return lists
    .sort((a, b) => b.rows - a.rows || (a.uuid < b.uuid ? -1 : 1))
    .slice(0, limit)
    .map(({ uuid }) => uuid);
}

function countOf(state: ListState): Count {
  if (state.state === 'read') return state.slice.rows;
  return state.state === 'absent' ? 'not_there' : 'not_read';
}
