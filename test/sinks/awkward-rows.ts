import { AWKWARD_ORGANIZATIONS, AWKWARD_USERS, changed } from '../../fixtures/api/awkward.js';
import { AWKWARD_API_KEYS } from '../../fixtures/api/awkward-api-keys.js';
import { AWKWARD_GROUPS } from '../../fixtures/api/awkward-groups.js';
import { AWKWARD_MEMBERS } from '../../fixtures/api/awkward-members.js';
import { AWKWARD_PERMISSIONS } from '../../fixtures/api/awkward-permissions.js';
import { AWKWARD_ROLES } from '../../fixtures/api/awkward-roles.js';
import { AWKWARD_SETTINGS } from '../../fixtures/api/awkward-settings.js';
import { recordParser } from '../../src/model/records.js';
import { type Row, rowMaker } from '../../src/model/rows.js';
import { apiKeys } from '../../src/streams/api-keys.js';
import { groupMembers } from '../../src/streams/group-members.js';
import { groups } from '../../src/streams/groups.js';
import { organizationSettings } from '../../src/streams/organization-settings.js';
import { organizations } from '../../src/streams/organizations.js';
import { rolePermissions } from '../../src/streams/role-permissions.js';
import { roles } from '../../src/streams/roles.js';
import { ancestorsOf, type Stream } from '../../src/streams/stream.js';
import { users } from '../../src/streams/users.js';

/** The rows of a stream as a run makes them of what the API serves; all of them are of one parent. */
export function rowsOf(stream: Stream, served: readonly unknown[]): Row[] {
  const parents = [...ancestorsOf(stream), stream].flatMap(({ parent }) => parent?.column ?? []);
  const added = Object.fromEntries(parents.map((column) => [column, PARENT]));
  const parse = recordParser<object>(stream);
  const makeRow = rowMaker(stream.schema, { ...added, snapshot_date: '2026-11-23' }, { surrogates: 0 });
  return served.map((json) => makeRow(parse(json)));
}

const PARENT = '0d5f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f11';
const CREATED = { created_at: '2024-05-06T07:08:09.123456Z' };
const ORDINARY_USER = {
  full_name: 'Ada Lovelace',
  email: 'ada@example.com',
  organization_role: 'admin',
  ...CREATED,
};

/** Ten megabytes. */
export const HUGE_TEXT = 'a "huge" cell, '.repeat(700_000);

type Change = Parameters<typeof changed>[1];
const awkward = (key: string, ordinary: object, changes: readonly Change[]): unknown[] =>
  changes.map((change, i) => JSON.parse(changed(JSON.stringify({ [key]: `id-${i}`, ...ordinary }), change)));

/** One row for each awkward user of the fixture API, and one with a cell of ten megabytes. */
export const awkwardUsers: readonly Row[] = rowsOf(users, [
  ...awkward('id', ORDINARY_USER, AWKWARD_USERS),
  { id: 'user_huge', ...ORDINARY_USER, full_name: HUGE_TEXT },
]);

/** One row for each awkward organisation of the fixture API. */
export const awkwardOrganizations: readonly Row[] = rowsOf(
  organizations,
  awkward('uuid', { name: 'Example', ...CREATED }, AWKWARD_ORGANIZATIONS),
);

/** Every stream, with one row for each awkward record of the fixture API. */
export const awkwardTables: readonly { stream: Stream; rows: readonly Row[] }[] = [
  { stream: users, rows: awkwardUsers },
  { stream: organizations, rows: awkwardOrganizations },
  ...(
    [
      [roles, awkward('id', { name: 'User', description: '', ...CREATED }, AWKWARD_ROLES)],
      [rolePermissions, awkward('action', { resource_type: 'organization' }, AWKWARD_PERMISSIONS)],
      [groups, awkward('id', { name: 'Everyone', roles: ['rbac_role_1'], ...CREATED }, AWKWARD_GROUPS)],
      [groupMembers, awkward('user_id', { email: 'ada@example.com', ...CREATED }, AWKWARD_MEMBERS)],
      [organizationSettings, awkward('name', { type: 'boolean', value: true }, AWKWARD_SETTINGS)],
      [apiKeys, awkward('id', { scopes: [], is_active: true, ...CREATED }, AWKWARD_API_KEYS)],
    ] as const
  ).map(([stream, served]) => ({ stream, rows: rowsOf(stream, served) })),
];

/** A thousand ordinary users, some without an address. */
export const ordinaryUsers: readonly Row[] = rowsOf(
  users,
  Array.from({ length: 1000 }, (_, i) => ({
    id: `user_${i}`,
    ...ORDINARY_USER,
    email: i % 7 === 0 ? null : `user.${i}@example.com`,
    created_at: new Date(1_600_000_000_000 + i * 1009).toISOString(),
  })),
);

/** The same thousand users again and again, as many pages of them as are asked for. */
export async function* pagesOfUsers(count: number): AsyncGenerator<readonly Row[]> {
  for (let page = 0; page < count; page += 1) yield ordinaryUsers;
}
