import type { AccessGroups } from './groups.js';
import type { GroupMember, Person } from './people.js';
import type { AccessRoles, Grant } from './roles.js';
import type { MakeRow, Place } from './row.js';
import type { AccessRow } from './schema.js';

/** What the rows of a person follow from. */
export interface Context {
  groups: AccessGroups;
  roles: AccessRoles;
  /** The organisations whose users are not known; null: others that are not named. */
  unread: readonly (string | null)[];
  row: MakeRow;
}

/** Everything that one person may do, and what is not known of it. */
export function* rowsOfPerson(person: Person, context: Context): Generator<AccessRow> {
  for (const { organization, email, role } of person.organizations) {
    const place: Place = {
      organization_uuid: organization,
      user_id: person.id,
      email,
      membership: 'member',
      source: 'organization_role',
      group_id: null,
      group_name: null,
    };
    const reason = role === null ? 'organization_role_not_served' : null;
    yield context.row(place, { role_name: role, reason });
  }
  for (const member of person.groups) yield* rowsOfMember(member, person, context);
}

function* rowsOfMember(member: GroupMember, person: Person, context: Context): Generator<AccessRow> {
  const { unread, groups, roles, row } = context;
  const { name: group_name, roles: given, unclear } = groups.get(member.group);
  const outside: Place = {
    organization_uuid: null,
    user_id: person.id,
    email: member.email,
    membership: membershipOf(person, context),
    source: 'group',
    group_id: member.group,
    group_name,
  };
  const inside = person.organizations.map(({ organization, email }) => ({
    ...outside,
    organization_uuid: organization,
    email,
    membership: 'member' as const,
  }));

  if (unclear !== null || given.length === 0) {
    for (const place of inside.length > 0 ? inside : [outside]) yield row(place, { reason: unclear });
  }
  for (const role of given) {
    let isInside = false;
    for (const place of inside) {
      const grant = roles.in(place.organization_uuid, role);
      if (!grant) continue;
      isInside = true;
      yield* granted(place, role, grant, row);
    }
    if (!isInside) yield* granted(outside, role, roles.anywhere(role), row);
  }
  if (unclear === null && given.length === 0) return;
  // The member may be in these as well.
  for (const organization_uuid of unread)
    yield row({ ...outside, organization_uuid, membership: 'unknown' }, { reason: 'users_not_read' });
}

/** Of somebody in a role that none of his organisations has. */
function membershipOf({ organizations }: Person, { unread }: Context): AccessRow['membership'] {
  if (organizations.length > 0) return 'elsewhere';
  return unread.length > 0 ? 'unknown' : 'none';
}

function* granted(place: Place, role_id: string, grant: Grant, row: MakeRow): Generator<AccessRow> {
  const { roleName: role_name, permissions, reason } = grant;
  if (permissions.length === 0) yield row(place, { role_id, role_name, reason });
  for (const permission of permissions) yield row(place, { role_id, role_name, permission, reason });
}
