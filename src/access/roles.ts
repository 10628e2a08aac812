import type { Row } from '../model/rows.js';
import { type Directory, inIdOrder, listsRead, textOf, textPool } from './directory.js';
import type { AccessReason } from './schema.js';

/** What is allowed, and on what. */
export interface Permission {
  readonly action: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
}

/** What a role allows, as far as it is known. Without permissions it names none, or none is known. */
export interface Grant {
  readonly roleName: string | null;
  readonly permissions: readonly Permission[];
  /** `role_not_listed` is known; every other reason means that something was not read. */
  readonly reason: AccessReason | null;
}

/** The roles of a snapshot that were asked for. */
export interface AccessRoles {
  /** What a role allows in an organisation; undefined when that organisation does not have it. */
  in(organization: string, role: string): Grant | undefined;
  /** What a role allows in the organisations that have it, together. */
  anywhere(role: string): Grant;
}

const NOT_READ: Grant = { roleName: null, permissions: [], reason: 'roles_not_read' };

/** Values by role, then by organisation. */
type ByRole<T> = Map<string, Map<string, T>>;

interface Request {
  directory: Directory;
  /** Other roles are passed over, so that no more is in memory than what groups give. */
  wanted: ReadonlySet<string>;
  signal: AbortSignal | undefined;
}

/** Reads what some roles allow. */
export async function readRoles(request: Request): Promise<AccessRoles> {
  const { roles, rolePermissions, hasAllOrganizations } = request.directory;
  const lists = listsRead(roles, ['organization_uuid']);
  const permissionLists = listsRead(rolePermissions, ['organization_uuid', 'role_id']);
  const isAllRead = roles !== undefined && hasAllOrganizations && lists.unread.length === 0;
  const names = await readNames(request);
  const permissions = await readPermissions(request);

  const grants: ByRole<Grant> = new Map();
  for (const [role, organizations] of names) {
    for (const [organization, roleName] of organizations) {
      const isRead = permissionLists.has(organization, role);
      const allowed = isRead ? permissions.get(role)?.get(organization) : undefined;
      const reason = isRead ? null : 'role_permissions_not_read';
      ofRole(grants, role).set(organization, { roleName, permissions: allowed ?? [], reason });
    }
  }

  function grantAnywhere(role: string): Grant {
    const listed = [...(grants.get(role)?.values() ?? [])];
    // Where the list of roles was not read, a role is known by its permissions alone.
    const others = [...(permissions.get(role) ?? [])].filter(([organization]) => !lists.has(organization));
    const all = [...listed.map((grant) => grant.permissions), ...others.map(([, allowed]) => allowed)];
    const [name = null, ...different] = new Set(listed.map(({ roleName }) => roleName));
    return {
      roleName: different.length > 0 ? null : name,
      permissions: [...new Set(all.flat())].sort(inPermissionOrder),
      reason: reasonOf(listed),
    };
  }
  function reasonOf(listed: readonly Grant[]): AccessReason | null {
    if (!isAllRead) return 'roles_not_read';
    if (listed.length === 0) return 'role_not_listed';
    return listed.find(({ reason }) => reason !== null)?.reason ?? null;
  }

  const together = new Map<string, Grant>();
  return {
    in: (organization, role) => (lists.has(organization) ? grants.get(role)?.get(organization) : NOT_READ),
    anywhere(role) {
      const grant = together.get(role) ?? grantAnywhere(role);
      together.set(role, grant);
      return grant;
    },
  };
}

async function readNames({ directory, wanted, signal }: Request): Promise<ByRole<string | null>> {
  const names: ByRole<string | null> = new Map();
  const copyOf = textPool();
  for await (const rows of directory.roles?.rows() ?? []) {
    signal?.throwIfAborted();
    for (const row of rows) {
      const role = textOf(row, 'id') ?? '';
      if (!wanted.has(role)) continue;
      const name = textOf(row, 'name');
      const organization = copyOf(textOf(row, 'organization_uuid') ?? '');
      ofRole(names, copyOf(role)).set(organization, name === null ? null : copyOf(name));
    }
  }
  return names;
}

/** Many roles allow the same: each different permission is held once. */
async function readPermissions({ directory, wanted, signal }: Request): Promise<ByRole<Permission[]>> {
  const allowed: ByRole<Permission[]> = new Map();
  const copyOf = textPool();
  const poolOfPermissions = new Map<string, Permission>();
  const held = (row: Row): Permission => {
    const key = JSON.stringify(['action', 'resource_type', 'resource_id'].map((name) => textOf(row, name)));
    const [action = null, resource_type = null, resource_id = null] = JSON.parse(key) as (string | null)[];
    const permission = poolOfPermissions.get(key) ?? { action, resource_type, resource_id };
    poolOfPermissions.set(key, permission);
    return permission;
  };
  for await (const rows of directory.rolePermissions?.rows() ?? []) {
    signal?.throwIfAborted();
    for (const row of rows) {
      const role = textOf(row, 'role_id') ?? '';
      if (!wanted.has(role)) continue;
      const organizations = ofRole(allowed, copyOf(role));
      const organization = copyOf(textOf(row, 'organization_uuid') ?? '');
      const permissions = organizations.get(organization) ?? [];
      organizations.set(organization, permissions);
      permissions.push(held(row));
    }
  }
  for (const organizations of allowed.values())
    for (const permissions of organizations.values()) permissions.sort(inPermissionOrder);
  return allowed;
}

function ofRole<T>(byRole: ByRole<T>, role: string): Map<string, T> {
  const known = byRole.get(role) ?? new Map<string, T>();
  byRole.set(role, known);
  return known;
}

const inPermissionOrder = (a: Permission, b: Permission): number =>
  inIdOrder(a.action, b.action) ||
  inIdOrder(a.resource_type, b.resource_type) ||
  inIdOrder(a.resource_id, b.resource_id);
