import { isOwner } from '../access/built-in-roles.js';
import { listStates } from '../diff/list-states.js';
import type { Manifest } from '../lake/manifest.js';
import { users } from '../streams/users.js';
import type { AccessFigures } from './access-figures.js';
import type { OrganizationFigures } from './data.js';

interface Request {
  manifest: Manifest;
  names: ReadonlyMap<string, string | null>;
  membersByRole: AccessFigures['membersByRole'];
}

/** Every organisation that is listed, or of which users were to be read, and all roles that members have. */
export function organizationFigures({ manifest, names, membersByRole }: Request): {
  roles: (string | null)[];
  organizations: OrganizationFigures[];
} {
  const totals = new Map<string | null, number>();
  for (const counts of membersByRole.values())
    for (const [role, count] of counts) totals.set(role, (totals.get(role) ?? 0) + count);
  const all = [...totals].sort(([a, n], [b, m]) => m - n || (`${a}` < `${b}` ? -1 : 1)).map(([role]) => role);
  const stateOf = listStates(manifest);
  const lists = (manifest.tables[users.name]?.slices ?? []).map(
    ({ parent }) => parent.organization_uuid ?? '',
  );
  const organizations = [...new Set([...names.keys(), ...lists])].map((uuid): OrganizationFigures => {
    const state = stateOf(users, { organization_uuid: uuid });
    const counts = membersByRole.get(uuid) ?? new Map<string | null, number>();
    const isRead = state.state === 'read';
    return {
      uuid,
      name: names.get(uuid) ?? null,
      members: isRead ? state.slice.rows : null,
      byRole: all.map((role) => counts.get(role) ?? 0),
      hasOwner: [...counts.keys()].some(isOwner) || (isRead && !counts.has(null) ? false : null),
    };
  });
  return { roles: all, organizations: organizations.sort(bySize) };
}

const bySize = (a: OrganizationFigures, b: OrganizationFigures): number =>
  (b.members ?? -1) - (a.members ?? -1) || (a.uuid < b.uuid ? -1 : 1);
