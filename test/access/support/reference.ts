/**
 * Who may do what, by loops over arrays: slow, and in the order of the rules in docs/access.md. It shares nothing with the
 * source that it is compared with.
 */

export type Verdict = 'complete' | 'gone' | 'unavailable' | 'failed';
type Text = string | null;

export interface PlainTable<R> {
  lists: { parent: Record<string, string>; verdict: Verdict }[];
  rows: R[];
}
export type UserRow = { organization_uuid: string; id: string; email: Text; organization_role: Text };
export type RoleRow = { organization_uuid: string; id: string; name: Text };
export type PermissionRow = {
  organization_uuid: string;
  role_id: string;
  action: string;
  resource_type: Text;
  resource_id: Text;
};
export type GroupRow = { id: string; name: Text; roles: unknown };
export type MemberRow = { group_id: string; user_id: string; email: Text };

/** The tables of a snapshot in memory; one that the snapshot does not have is undefined. */
export interface PlainDirectory {
  snapshotDate: string;
  hasAllOrganizations: boolean;
  users: PlainTable<UserRow> | undefined;
  roles: PlainTable<RoleRow> | undefined;
  rolePermissions: PlainTable<PermissionRow> | undefined;
  groups: PlainTable<GroupRow> | undefined;
  groupMembers: PlainTable<MemberRow> | undefined;
}

export type AccessFact = {
  organization_uuid: Text;
  user_id: Text;
  email: Text;
  membership: string;
  source: string;
  group_id: Text;
  group_name: Text;
  role_id: Text;
  role_name: Text;
  action: Text;
  resource_type: Text;
  resource_id: Text;
  status: string;
  reason: Text;
};

const wasRead = (verdict: Verdict): boolean => verdict === 'complete' || verdict === 'gone';

/** Every row of `effective_access`, in no set order. */
export function referenceRows(directory: PlainDirectory): object[] {
  const { users, roles, rolePermissions, groups, groupMembers, hasAllOrganizations } = directory;
  const facts: AccessFact[] = [];
  const add = (fact: Partial<AccessFact>): void => {
    facts.push({
      organization_uuid: null,
      user_id: null,
      email: null,
      membership: 'unknown',
      source: 'group',
      group_id: null,
      group_name: null,
      role_id: null,
      role_name: null,
      action: null,
      resource_type: null,
      resource_id: null,
      status: 'known',
      reason: null,
      ...fact,
    });
  };

  const userRows = users?.rows ?? [];
  const roleRows = roles?.rows ?? [];
  const permissionRows = rolePermissions?.rows ?? [];
  const groupRows = groups?.rows ?? [];
  const memberRows = groupMembers?.rows ?? [];

  const organizationsWithoutUsers: Text[] = [];
  for (const { parent, verdict } of users?.lists ?? []) {
    if (!wasRead(verdict)) organizationsWithoutUsers.push(parent.organization_uuid as string);
  }
  if (!users || !hasAllOrganizations) organizationsWithoutUsers.push(null);

  const rolesWereRead = (organization: string): boolean =>
    (roles?.lists ?? []).some(
      ({ parent, verdict }) => parent.organization_uuid === organization && wasRead(verdict),
    );
  const permissionsWereRead = (organization: string, role: string): boolean =>
    (rolePermissions?.lists ?? []).some(
      ({ parent, verdict }) =>
        parent.organization_uuid === organization && parent.role_id === role && wasRead(verdict),
    );
  const membersWereRead = (group: string): boolean =>
    (groupMembers?.lists ?? []).some(({ parent, verdict }) => parent.group_id === group && wasRead(verdict));
  const allRolesWereRead =
    roles !== undefined && hasAllOrganizations && roles.lists.every(({ verdict }) => wasRead(verdict));

  // 1. Each user of each organisation.
  for (const user of userRows) {
    add({
      organization_uuid: user.organization_uuid,
      user_id: user.id,
      email: user.email,
      membership: 'member',
      source: 'organization_role',
      role_name: user.organization_role,
      ...(user.organization_role === null && { status: 'unknown', reason: 'organization_role_not_served' }),
    });
  }

  // 2. Each organisation whose users are not known.
  for (const organization_uuid of organizationsWithoutUsers) {
    add({ organization_uuid, source: 'organization_role', status: 'unknown', reason: 'users_not_read' });
  }

  // 3. Each member of each group.
  for (const member of memberRows) {
    const group = groupRows.find(({ id }) => id === member.group_id);
    const inOrganizations = userRows.filter(({ id }) => id === member.user_id);
    const how = {
      user_id: member.user_id,
      group_id: member.group_id,
      group_name: group ? group.name : null,
    };
    const nowhere = {
      ...how,
      email: member.email,
      membership:
        inOrganizations.length > 0 ? 'elsewhere' : organizationsWithoutUsers.length > 0 ? 'unknown' : 'none',
    };
    const wherever = (fact: Partial<AccessFact>): void => {
      for (const { organization_uuid, email } of inOrganizations) {
        add({ ...how, organization_uuid, email, membership: 'member', ...fact });
      }
      if (inOrganizations.length === 0) add({ ...nowhere, ...fact });
    };

    const given = group && Array.isArray(group.roles) ? (group.roles as unknown[]) : undefined;
    if (!group) wherever({ status: 'unknown', reason: 'groups_not_read' });
    else if (!given) wherever({ status: 'unknown', reason: 'group_roles_unavailable' });
    else if (given.length === 0) wherever({});
    else if (given.some((id) => typeof id !== 'string'))
      wherever({ status: 'unknown', reason: 'group_roles_unavailable' });

    for (const role of new Set(given ?? [])) {
      if (typeof role !== 'string') continue;
      let rows = 0;
      for (const { organization_uuid, email } of inOrganizations) {
        const here = { ...how, organization_uuid, email, membership: 'member', role_id: role };
        const held = roleRows.find((row) => row.organization_uuid === organization_uuid && row.id === role);
        if (held && rolesWereRead(organization_uuid)) {
          rows += 1;
          const allowed = permissionRows.filter(
            (row) => row.organization_uuid === organization_uuid && row.role_id === role,
          );
          if (!permissionsWereRead(organization_uuid, role)) {
            add({ ...here, role_name: held.name, status: 'unknown', reason: 'role_permissions_not_read' });
          } else if (allowed.length === 0) {
            add({ ...here, role_name: held.name });
          } else {
            for (const { action, resource_type, resource_id } of allowed)
              add({ ...here, role_name: held.name, action, resource_type, resource_id });
          }
        } else if (!rolesWereRead(organization_uuid)) {
          rows += 1;
          add({ ...here, status: 'unknown', reason: 'roles_not_read' });
        }
      }
      if (rows > 0) continue;

      const holding = roleRows.filter(({ id }) => id === role);
      const names = holding.map(({ name }) => name);
      const [name = null] = names;
      const here = {
        ...nowhere,
        role_id: role,
        role_name: names.every((other) => other === name) ? name : null,
      };
      const isPartlyUnread = holding.some((row) => !permissionsWereRead(row.organization_uuid, role));
      const standing = !allRolesWereRead
        ? { status: 'unknown', reason: 'roles_not_read' }
        : holding.length === 0
          ? { status: 'known', reason: 'role_not_listed' }
          : isPartlyUnread
            ? { status: 'unknown', reason: 'role_permissions_not_read' }
            : { status: 'known', reason: null };
      const distinct = new Set<string>();
      for (const row of permissionRows) {
        if (row.role_id !== role) continue;
        const { organization_uuid, action, resource_type, resource_id } = row;
        const isHeld = holding.some((holder) => holder.organization_uuid === organization_uuid);
        if (!isHeld && rolesWereRead(organization_uuid)) continue;
        if (isHeld && !permissionsWereRead(organization_uuid, role)) continue;
        distinct.add(JSON.stringify({ action, resource_type, resource_id }));
      }
      if (distinct.size === 0) add({ ...here, ...standing });
      for (const permission of distinct) add({ ...here, ...standing, ...JSON.parse(permission) });
    }

    // He may be a member of an organisation whose users are not known.
    if (given && given.length === 0) continue;
    for (const organization_uuid of organizationsWithoutUsers) {
      add({
        ...how,
        organization_uuid,
        email: member.email,
        membership: 'unknown',
        status: 'unknown',
        reason: 'users_not_read',
      });
    }
  }

  // 4. Groups, and members of groups, that were not read.
  const groupsWithoutMembers = new Set<string>();
  for (const { id } of groupRows) if (!membersWereRead(id)) groupsWithoutMembers.add(id);
  for (const { parent } of groupMembers?.lists ?? []) {
    const id = parent.group_id as string;
    if (!membersWereRead(id)) groupsWithoutMembers.add(id);
  }
  for (const id of groupsWithoutMembers) {
    const name = groupRows.find((group) => group.id === id)?.name ?? null;
    add({ group_id: id, group_name: name, status: 'unknown', reason: 'group_members_not_read' });
  }
  if (!groups?.lists.length || !groups.lists.every(({ verdict }) => wasRead(verdict)))
    add({ status: 'unknown', reason: 'groups_not_read' });

  return facts.map((fact) => ({
    snapshot_date: directory.snapshotDate,
    ...fact,
    is_blanket: ['capability_access_all', 'capability_access_all_ga'].includes(`${fact.action}`),
  }));
}

/** Rows as texts, sorted, so that two sets of rows can be compared. */
export const rowTexts = (rows: readonly object[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
