import { startFixtureApi } from '../../../fixtures/api/index.js';
import { take } from '../../run/support/tree.js';

/** A month of snapshots: the newest is incomplete. */
export const DAYS: readonly string[] = Array.from(
  { length: 30 },
  (_, index) => `2026-11-${String(index + 1).padStart(2, '0')}`,
);
export const NEWEST_COMPLETE = DAYS.at(-2);

/** Takes them, one user more each day. @returns the rows of users by day */
export async function takeThirtyDays(root: string): Promise<Record<string, number>> {
  const api = await startFixtureApi({ sizes: [3, 2] });
  const [first, second] = api.organizations().map(({ uuid }) => String(uuid));
  const rows: Record<string, number> = {};
  for (const runDate of DAYS) {
    api.insertUser(first ?? '');
    if (runDate === DAYS.at(-1))
      api.fault({ match: { organizationUuid: second ?? '' }, do: { type: 'data-null' } });
    const manifest = await take(api, root, { runDate, onOrgFailure: 'continue' });
    rows[runDate] = manifest.tables.users?.rows ?? 0;
  }
  await api.close();
  return rows;
}

/** The same days in an order that is none, and the same in every run. */
export const shuffled = (days: readonly string[]): string[] =>
  days.map((_, index) => days[(index * 7 + 3) % days.length] ?? '');
