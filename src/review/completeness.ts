import type { Person } from '../access/people.js';
import type { Manifest } from '../lake/manifest.js';
import { groupMembers } from '../streams/group-members.js';
import { groups } from '../streams/groups.js';
import { organizations } from '../streams/organizations.js';
import { rolePermissions } from '../streams/role-permissions.js';
import { roles } from '../streams/roles.js';
import { users } from '../streams/users.js';
import type { Evidence } from './evidence.js';
import type { PopulationRow } from './schema.js';

/** What access follows from. */
const NEEDED = [organizations, users, roles, rolePermissions, groups, groupMembers];

type Completeness = Evidence['completeness'];

/** Counts, while the population passes, whether everybody who was listed is in it. */
export function completenessOf(manifest: Manifest) {
  const { tables, scope } = manifest;
  let members = 0;
  let groupMemberships = 0;

  function add(person: Person | undefined, rows: readonly PopulationRow[]): void {
    if (!person) return;
    members += rows.filter(({ granted_by }) => granted_by === 'organization_role').length;
    groupMemberships += new Set(rows.flatMap(({ group_id }) => group_id ?? [])).size;
  }

  function counted(): Completeness['lists'] {
    return [
      { stream: users, in_population: members },
      { stream: groupMembers, in_population: groupMemberships },
    ].map(({ stream: { name }, in_population }) => ({
      stream: name,
      rows: tables[name]?.rows ?? 0,
      in_population,
    }));
  }

  function notRead(): Completeness['not_read'] {
    const missing = NEEDED.filter(({ name }) => !tables[name]).map(({ name }) => ({
      stream: name,
      parent: null,
      reason: 'stream_not_asked_for',
    }));
    const unread = NEEDED.flatMap(({ name }) =>
      (tables[name]?.slices ?? [])
        .filter(({ verdict }) => verdict !== 'complete' && verdict !== 'gone')
        .map(({ parent, verdict, reason }) => ({ stream: name, parent, reason: reason?.code ?? verdict })),
    );
    const others =
      scope.organizations === 'all'
        ? []
        : [{ stream: organizations.name, parent: null, reason: 'organizations_not_all_asked_for' }];
    return [...missing, ...others, ...unread];
  }

  function result(unknownRows: number): Completeness {
    const [lists, not_read] = [counted(), notRead()];
    const is_complete =
      unknownRows === 0 &&
      not_read.length === 0 &&
      lists.every(({ rows, in_population }) => rows === in_population);
    return { is_complete, lists, not_read };
  }

  return { add, result };
}
