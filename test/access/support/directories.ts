import fc from 'fast-check';
import type { PlainDirectory, PlainTable, Verdict } from './reference.js';

/** Some that differ in case only, and texts that break careless keys, lines and quotes. */
const ORGANIZATIONS = ['org-a', 'org-A', 'org/b', '__proto__'];
const USERS = ['user_1', 'User_1', 'user_2', '', 'null', 'a\n"b",\\', 'constructor', '\u{1F600}\u2028'];
const ROLES = ['role_1', 'Role_1', 'role_2', 'org-a/role', ''];
const GROUPS = ['group_1', 'Group_1', 'group_2', '["x"]'];
const ACTIONS = [
  'use',
  'Use',
  'capability_access_all',
  'capability_access_all_ga',
  'capability_access_all_x',
];
const PERMISSIONS = ACTIONS.flatMap((action) =>
  [null, 'organization', ''].flatMap((resource_type) =>
    [null, 'org-a'].map((resource_id) => ({ action, resource_type, resource_id })),
  ),
);

const text = fc.constantFrom(null, 'a', 'A', '', 'null', 'zo\u00eb \u2029 "quoted"\r\n');
const rolesOfGroup: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.constantFrom<unknown>(...ROLES), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom<unknown>('role_1', null, 7, ['role_1'], {})) },
);

type Parent = Record<string, string>;

/** A table in which each parent has a list, and each list a row for some of these keys. */
function tableOf<P extends Parent, R extends object>(
  parents: readonly P[],
  keys: readonly R[],
  more: fc.Arbitrary<object> = fc.constant({}),
): fc.Arbitrary<PlainTable<P & R>> {
  const rows = parents.map((parent) =>
    fc
      .subarray([...keys])
      .chain((chosen) =>
        fc.tuple(...chosen.map((key) => more.map((rest) => ({ ...parent, ...key, ...rest })))),
      ),
  );
  const lists = parents.map((parent) => ({ parent, verdict: 'complete' as const }));
  return fc.tuple(...rows).map((chosen) => ({ lists: [...lists], rows: chosen.flat() as (P & R)[] }));
}

const ids = (known: readonly string[]) => known.map((id) => ({ id }));

/** A small directory, every list of which was read. */
export const directories: fc.Arbitrary<PlainDirectory> = fc
  .subarray(ORGANIZATIONS, { minLength: 1 })
  .chain((organizations) => {
    const parents = organizations.map((organization_uuid) => ({ organization_uuid }));
    return fc.record({
      users: tableOf(parents, ids(USERS), fc.record({ email: text, organization_role: text })),
      roles: tableOf(parents, ids(ROLES), fc.record({ name: text })),
      groups: tableOf([{}], ids(GROUPS), fc.record({ name: text, roles: rolesOfGroup })),
    });
  })
  .chain(({ users, roles, groups }) => {
    const ofRoles = roles.rows.map(({ organization_uuid, id }) => ({ organization_uuid, role_id: id }));
    const ofGroups = groups.rows.map(({ id }) => ({ group_id: String(id) }));
    const members = USERS.map((user_id) => ({ user_id }));
    return fc.record({
      snapshotDate: fc.constant('2026-11-23'),
      hasAllOrganizations: fc.constant(true),
      users: fc.constant(users),
      roles: fc.constant(roles),
      rolePermissions: tableOf(ofRoles, PERMISSIONS),
      groups: fc.constant(groups),
      groupMembers: tableOf(ofGroups, members, fc.record({ email: text })),
    }) as unknown as fc.Arbitrary<PlainDirectory>;
  });

const TABLES = ['users', 'roles', 'rolePermissions', 'groups', 'groupMembers'] as const;
type TableName = (typeof TABLES)[number];

/** What went wrong while a directory was read. */
export interface Damage {
  /** Lists by their place, with what became of them; `unnamed`: the snapshot does not mention the list. */
  lists: readonly { table: TableName; place: number; verdict: Verdict | 'unnamed' }[];
  /** Tables that were not asked for. */
  missing: readonly TableName[];
  isScoped: boolean;
  /** Whether what is below a list that was not read was not read either, as in a snapshot. */
  reachesBelow: boolean;
  /** A group by its place that the list of groups does not have, although its members were read. */
  lostGroup: number | null;
}

/** @param verdicts of lists that are damaged */
export const damages = (verdicts: readonly Verdict[]): fc.Arbitrary<Damage> =>
  fc.record({
    lists: fc.array(
      fc.oneof(
        fc.record({
          table: fc.constantFrom(...TABLES),
          place: fc.nat(20),
          verdict: fc.constantFrom(...verdicts),
        }),
        fc.record({
          table: fc.constantFrom<TableName>('rolePermissions', 'groupMembers'),
          place: fc.nat(20),
          verdict: fc.constant<'unnamed'>('unnamed'),
        }),
      ),
      { maxLength: 3 },
    ),
    missing: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.subarray([...TABLES], { maxLength: 2 }) },
    ),
    isScoped: fc.oneof(
      { weight: 5, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    reachesBelow: fc.boolean(),
    lostGroup: fc.option(fc.nat(3), { freq: 5 }),
  });

type AnyTable = PlainTable<Record<string, unknown>>;

/** A directory as it is published after that. */
export function damaged(directory: PlainDirectory, damage: Damage): PlainDirectory {
  const tables = Object.fromEntries(
    TABLES.map((name) => [name, { ...(directory[name] as unknown as AnyTable) }]),
  ) as Record<TableName, AnyTable | undefined>;
  for (const { table: name, place, verdict } of damage.lists) {
    const table = tables[name];
    if (!table || table.lists.length === 0) continue;
    const at = place % table.lists.length;
    const { parent } = table.lists[at] as AnyTable['lists'][number];
    tables[name] = {
      lists: verdict === 'unnamed' ? table.lists.toSpliced(at, 1) : table.lists.with(at, { parent, verdict }),
      rows: without(table.rows, parent),
    };
    if (!damage.reachesBelow) continue;
    if (name === 'roles') tables.rolePermissions = dropped(tables.rolePermissions, parent);
    if (name === 'groups') tables.groupMembers = { lists: [], rows: [] };
  }
  if (tables.groups && damage.lostGroup !== null)
    tables.groups = { ...tables.groups, rows: tables.groups.rows.toSpliced(damage.lostGroup, 1) };
  for (const name of damage.missing) tables[name] = undefined;
  return { ...directory, ...tables, hasAllOrganizations: !damage.isScoped } as unknown as PlainDirectory;
}

const isBelow = (row: Readonly<Record<string, unknown>>, parent: Parent): boolean =>
  Object.entries(parent).every(([column, id]) => row[column] === id);
const without = (rows: AnyTable['rows'], parent: Parent): AnyTable['rows'] =>
  rows.filter((row) => !isBelow(row, parent));
const dropped = (table: AnyTable | undefined, parent: Parent): AnyTable | undefined =>
  table && {
    lists: table.lists.filter((list) => !isBelow(list.parent, parent)),
    rows: without(table.rows, parent),
  };
