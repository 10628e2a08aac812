import fc from 'fast-check';
import type { Dialect } from '../../../connectors/warehouse/ddl.js';
import { insertOwnRows } from '../../../connectors/warehouse/snapshot-rows.js';
import {
  groupMembers,
  groups,
  type Manifest,
  rolePermissions,
  roles,
  type Stream,
  users,
} from '../../../src/index.js';
import { type Damage, damaged, damages, directories } from '../../access/support/directories.js';
import type { PlainDirectory } from '../../access/support/reference.js';

/** A published snapshot names every list of a table that it holds, and has nothing of the roles that are gone. */
const asPublished = (damage: Damage): Damage => ({
  ...damage,
  reachesBelow: damage.reachesBelow || damage.lists.some(({ verdict }) => verdict === 'gone'),
  lists: damage.lists.map((list) => (list.verdict === 'unnamed' ? { ...list, verdict: 'failed' } : list)),
});

/** Directories of several days, as they are published after anything in them was not read. */
export const directoriesByDay: fc.Arbitrary<PlainDirectory[]> = fc
  .array(fc.tuple(directories, damages(['failed', 'unavailable', 'gone'])), { minLength: 1, maxLength: 12 })
  .map((days) =>
    days.map(([directory, damage], index) => ({
      ...damaged(directory, asPublished(damage)),
      snapshotDate: `2026-11-${String(index + 1).padStart(2, '0')}`,
    })),
  );

const STREAMS = { users, roles, rolePermissions, groups, groupMembers };

/** The tables that a directory has, by their streams, with the rows as they are stored. */
export const tablesIn = (directory: PlainDirectory): { stream: Stream; rows: object[] }[] =>
  Object.entries(STREAMS).flatMap(([name, stream]) => {
    const table = directory[name as keyof typeof STREAMS];
    if (!table) return [];
    const rows = table.rows.map((row) => ({ ...row, snapshot_date: directory.snapshotDate }));
    return [{ stream, rows }];
  });

/** What the tables of the warehouse's own get for a directory. */
export function ownRowsOf(directory: PlainDirectory, into: { dialect: Dialect; schema: string }): string[] {
  const { snapshotDate, hasAllOrganizations } = directory;
  const tables = Object.entries(STREAMS).flatMap(([name, { name: stream }]) => {
    const table = directory[name as keyof typeof STREAMS];
    if (!table) return [];
    const slices = table.lists.map((list) => ({ ...list, reason: null }));
    return [[stream, { rows: table.rows.length, slices }] as const];
  });
  const manifest = {
    run_date: snapshotDate,
    run_id: 'run',
    status: 'complete',
    scope: { streams: [], known: [], organizations: hasAllOrganizations ? 'all' : [] },
    extracted_at: '2026-11-23T00:00:00.000Z',
    tables: Object.fromEntries(tables),
  } as unknown as Manifest;
  return insertOwnRows({ manifest, manifestSha256: '0'.repeat(64), ...into, now: 'now()' });
}
