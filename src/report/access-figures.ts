import type { AccessOfPerson } from '../access/access-rows.js';
import { isAdmin } from '../access/built-in-roles.js';
import type { Person } from '../access/people.js';
import type { AccessReason, AccessRow } from '../access/schema.js';
import type { BlanketPermission, Membership, Orphan, ReportData, SeveralOrganizations } from './data.js';
import { shown } from './shown.js';

/** How many rows are shown. */
export interface Limits {
  /** Of memberships. */
  memberships: number;
  /** Of each other list. */
  rows: number;
}

export type AccessFigures = Pick<
  ReportData,
  'people' | 'admins' | 'several' | 'blanket' | 'orphans' | 'unknown' | 'memberships'
> & {
  /** Members of each organisation by their built-in role. */
  readonly membersByRole: ReadonlyMap<string, ReadonlyMap<string | null, number>>;
};

/** Counts who may do what, one person after the other. Memory grows by organisations and roles, not by people. */
export function accessFigures(limits: Limits) {
  const memberships = shown<Membership>(limits.memberships);
  const admins = shown<Membership>(limits.rows);
  const several = shown<SeveralOrganizations>(limits.rows);
  const blanket = shown<BlanketPermission>(limits.rows);
  const orphans = shown<Orphan>(limits.rows);
  const roles = new Map<string, Map<string | null, number>>();
  const unknown: Partial<Record<AccessReason, number>> = {};
  let [people, peopleWithBlanket] = [0, 0];

  function addPerson({ id, organizations }: Person): void {
    if (organizations.length > 0) people += 1;
    for (const member of organizations) {
      const { organization, role } = member;
      const membership = { id, ...member };
      memberships.add(membership);
      if (isAdmin(role)) admins.add(membership);
      const counts = roles.get(organization) ?? new Map<string | null, number>();
      roles.set(organization, counts.set(role, (counts.get(role) ?? 0) + 1));
    }
    const [first] = organizations;
    if (!first || organizations.length === 1) return;
    const { name, email } = first;
    several.add({ id, name, email, organizations: organizations.map(({ organization }) => organization) });
  }

  function addRows(person: Person | undefined, rows: Iterable<AccessRow>): void {
    let [hasBlanket, isOrphan] = [false, false];
    for (const row of rows) {
      if (row.status === 'unknown' && row.reason) unknown[row.reason] = (unknown[row.reason] ?? 0) + 1;
      if (row.membership === 'none') isOrphan = true;
      if (!person || !row.is_blanket) continue;
      hasBlanket = true;
      const { email, organization_uuid: organization, group_name: group, role_name: role, action } = row;
      blanket.add({ id: person.id, email, organization, group, role, action: action ?? '' });
    }
    if (hasBlanket) peopleWithBlanket += 1;
    if (!person || !isOrphan) return;
    const [{ email = null } = {}] = person.groups;
    orphans.add({ id: person.id, email, groups: person.groups.map(({ group }) => group) });
  }

  return {
    add({ person, rows }: AccessOfPerson): void {
      if (person) addPerson(person);
      addRows(person, rows);
    },
    get: (): AccessFigures => ({
      people,
      membersByRole: roles,
      unknown,
      memberships: memberships.get(),
      admins: admins.get(),
      several: several.get(),
      blanket: { ...blanket.get(), people: peopleWithBlanket },
      orphans: orphans.get(),
    }),
  };
}
