import {
  blanketActions,
  effectiveAccessSchema,
  groupMembers,
  groups,
  rolePermissions,
  roles,
  type Stream,
  users,
} from '../../src/index.js';
import type { Dialect } from './ddl.js';
import { snapshotsTable, unreadListsTable } from './model.js';

/** What the views are made from. */
const SOURCES: readonly Stream[] = [users, roles, rolePermissions, groups, groupMembers];

const ALL_DAYS = effectiveAccessSchema.name;
const CURRENT_DAY = `${ALL_DAYS}_current`;

/** The views of this file. */
export const accessViewNames: readonly string[] = [ALL_DAYS, CURRENT_DAY];

/**
 * Who may do what, as views: the same rows as the library's `effectiveAccess` derives of a snapshot. The first is of every run
 * date that was loaded, the second of the current one. What a list that was not read would say is a row whose status is
 * `unknown`.
 */
export function createAccessViews(dialect: Dialect, schema: string): string[] {
  const view = { dialect, schema };
  return [
    `CREATE OR REPLACE VIEW ${nameIn(view, ALL_DAYS)} AS\n${query(view)}`,
    `CREATE OR REPLACE VIEW ${nameIn(view, CURRENT_DAY)} AS\n${query(view, currentDay(view))}`,
  ];
}

interface View {
  schema: string;
  dialect: Dialect;
}

const nameIn = ({ schema, dialect }: View, name: string): string => dialect.quoting.name(schema, name);

/** Names in the text below are in double quotes; here they get the quotes of the engine. */
const quoted = (sql: string, { dialect }: View): string =>
  sql.replaceAll(/"(\w+)"/g, (_, name: string) => dialect.quoting.name(name));

/**
 * The newest run date whose snapshot is complete and holds everything that is needed completely; where there is none, the
 * newest at all: then the view says what is unknown, and an empty one would say that nobody may do anything.
 */
function currentDay(view: View): string {
  const isComplete = `"is_complete" AND "status" = 'complete' AND "stream" IN (${SOURCES.map(({ name }) => `'${name}'`).join(', ')})`;
  const sql = `(
  SELECT COALESCE(max(CASE WHEN d."complete_count" = ${SOURCES.length} THEN d."run_date" END), max(d."run_date"))
  FROM (
    SELECT "run_date", count(CASE WHEN ${isComplete} THEN 1 END) AS "complete_count"
    FROM ${nameIn(view, snapshotsTable.name)}
    GROUP BY "run_date"
  ) d
)`;
  return quoted(sql, view);
}

/** The columns of a membership in a group. */
const MEMBERSHIP = [
  ...['snapshot_date', 'group_id', 'group_name', 'user_id', 'member_email', 'given', 'unclear'],
];

/** @param day the only run date that is read */
function query(view: View, day?: string): string {
  const { dialect } = view;
  const { types, elements, nullable: orNull = (type) => type, inlined = '', viewSettings = '' } = dialect;
  const on = (column: string): string => (day === undefined ? '' : ` WHERE ${column} = ${day}`);
  const table = ({ name }: Stream): string => nameIn(view, `${name}_snapshot`);
  const rowsOf = (stream: Stream, columns: string): string =>
    `SELECT "snapshot_date", ${columns} FROM ${table(stream)}${on('"snapshot_date"')}`;
  const has = (stream: Stream): string => `max(CASE WHEN "stream" = '${stream.name}' THEN 1 ELSE 0 END)`;
  const unread = (stream: Stream): string => `count(CASE WHEN "stream" = '${stream.name}' THEN 1 END)`;
  const nothing = (...columns: string[]): string =>
    columns.map((column) => `CAST(NULL AS ${orNull(types.string)}) AS "${column}"`).join(', ');
  const noPermission = nothing('action', 'resource_type', 'resource_id');
  /** Named, since ClickHouse would keep `m.` in the name. */
  const of = (alias: string, ...columns: string[]): string =>
    columns.map((column) => `${alias}."${column}" AS "${column}"`).join(', ');
  const ofDay = (left: string, right: string): string => `${left}."snapshot_date" = ${right}."snapshot_date"`;
  const role = elements(`g."roles"`);

  const ctes: Record<string, string> = {
    found_users: rowsOf(users, '"organization_uuid", "id", "email", "organization_role"'),
    found_roles: rowsOf(roles, '"organization_uuid", "id", "name"'),
    found_permissions: rowsOf(
      rolePermissions,
      '"organization_uuid", "role_id", "action", "resource_type", "resource_id"',
    ),
    found_groups: rowsOf(
      groups,
      '"id", "name", CASE WHEN "roles" IS NULL THEN 1 ELSE 0 END AS "has_no_roles"',
    ),
    found_members: rowsOf(groupMembers, '"group_id", "user_id", "email"'),
    // An element that is no text is no role that could be found, and is null here.
    role_elements: `SELECT ${of('g', 'snapshot_date')}, g."id" AS "group_id", ${role.text} AS "role_id"
    FROM ${table(groups)} g ${role.from}${on('g."snapshot_date"')}`,
    unread: `SELECT "run_date" AS "snapshot_date", "stream", "organization_uuid", "role_id", "group_id"
    FROM ${nameIn(view, unreadListsTable.name)}${on('"run_date"')}`,
    held_tables: `SELECT "run_date" AS "snapshot_date",
      max(CASE WHEN "has_all_organizations" THEN 1 ELSE 0 END) AS "has_all",
      ${has(users)} AS "has_users", ${has(roles)} AS "has_roles", ${has(rolePermissions)} AS "has_permissions",
      ${has(groups)} AS "has_groups", ${has(groupMembers)} AS "has_members"
    FROM ${nameIn(view, snapshotsTable.name)}${on('"run_date"')}
    GROUP BY "run_date"`,
    unread_counts: `SELECT "snapshot_date",
      ${unread(users)} AS "users", ${unread(roles)} AS "roles", ${unread(groups)} AS "groups"
    FROM unread
    GROUP BY "snapshot_date"`,
    // What is known of each day.
    known: `SELECT ${of('t', 'snapshot_date', 'has_users', 'has_all', 'has_roles', 'has_permissions', 'has_groups', 'has_members')},
      CASE WHEN t."has_users" = 1 AND t."has_all" = 1 AND COALESCE(c."users", 0) = 0 THEN 1 ELSE 0 END AS "all_users",
      CASE WHEN t."has_roles" = 1 AND t."has_all" = 1 AND COALESCE(c."roles", 0) = 0 THEN 1 ELSE 0 END AS "all_roles",
      CASE WHEN t."has_groups" = 1 AND COALESCE(c."groups", 0) = 0 THEN 1 ELSE 0 END AS "all_groups"
    FROM held_tables t
    LEFT JOIN unread_counts c ON ${ofDay('c', 't')}`,
    // Organisations whose users are not known; null: others, which are not named.
    unread_users: `SELECT "snapshot_date", "organization_uuid" FROM unread WHERE "stream" = '${users.name}'
    UNION ALL
    SELECT "snapshot_date", ${nothing('organization_uuid')} FROM held_tables WHERE "has_users" = 0 OR "has_all" = 0`,
    unread_roles: `SELECT "snapshot_date", "organization_uuid" FROM unread WHERE "stream" = '${roles.name}'`,
    unread_permissions: `SELECT "snapshot_date", "organization_uuid", "role_id" FROM unread WHERE "stream" = '${rolePermissions.name}'`,
    // The roles that a group gives, each once.
    given_roles: `SELECT DISTINCT "snapshot_date", "group_id", "role_id" FROM role_elements WHERE "role_id" IS NOT NULL`,
    given_counts: `SELECT "snapshot_date", "group_id", count(*) AS "given",
      max(CASE WHEN "role_id" IS NULL THEN 1 ELSE 0 END) AS "has_others"
    FROM role_elements
    GROUP BY "snapshot_date", "group_id"`,
    // Members with their group: what it gives, and why it may give more.
    memberships: `SELECT ${of('m', 'snapshot_date', 'group_id', 'user_id')}, m."email" AS "member_email", g."name" AS "group_name",
      COALESCE(c."given", 0) AS "given",
      CASE
        WHEN g."id" IS NULL THEN 'groups_not_read'
        WHEN g."has_no_roles" = 1 OR c."has_others" = 1 THEN 'group_roles_unavailable'
      END AS "unclear"
    FROM found_members m
    LEFT JOIN found_groups g ON ${ofDay('g', 'm')} AND g."id" = m."group_id"
    LEFT JOIN given_counts c ON ${ofDay('c', 'm')} AND c."group_id" = m."group_id"`,
    // Members with each of their organisations, or with none.
    places: `SELECT ${of('m', ...MEMBERSHIP)}, ${of('u', 'organization_uuid')},
      CASE WHEN u."id" IS NULL THEN m."member_email" ELSE u."email" END AS "email",
      CASE WHEN u."id" IS NOT NULL THEN 'member' WHEN k."all_users" = 1 THEN 'none' ELSE 'unknown' END AS "membership"
    FROM memberships m
    JOIN known k ON ${ofDay('k', 'm')}
    LEFT JOIN found_users u ON ${ofDay('u', 'm')} AND u."id" = m."user_id"`,
    // Places with each role that the group gives: whether it is held there.
    role_places: `SELECT ${of('p', ...MEMBERSHIP, 'organization_uuid', 'email', 'membership')}, ${of('v', 'role_id')}, r."name" AS "role_name",
      CASE
        WHEN p."organization_uuid" IS NULL THEN 'not held'
        WHEN k."has_roles" = 0 OR x."organization_uuid" IS NOT NULL THEN 'roles_not_read'
        WHEN r."id" IS NULL THEN 'not held'
        WHEN k."has_permissions" = 0 OR y."role_id" IS NOT NULL THEN 'role_permissions_not_read'
        ELSE 'held'
      END AS "holding"
    FROM places p
    JOIN given_roles v ON ${ofDay('v', 'p')} AND v."group_id" = p."group_id"
    JOIN known k ON ${ofDay('k', 'p')}
    LEFT JOIN unread_roles x ON ${ofDay('x', 'p')} AND x."organization_uuid" = p."organization_uuid"
    LEFT JOIN found_roles r
      ON ${ofDay('r', 'p')} AND r."organization_uuid" = p."organization_uuid" AND r."id" = v."role_id"
    LEFT JOIN unread_permissions y
      ON ${ofDay('y', 'p')} AND y."organization_uuid" = p."organization_uuid" AND y."role_id" = v."role_id"`,
    // Roles of a member that none of the member's organisations has.
    roles_elsewhere: `SELECT "snapshot_date", "group_id", "group_name", "user_id", "member_email", "membership", "role_id"
    FROM role_places
    GROUP BY "snapshot_date", "group_id", "group_name", "user_id", "member_email", "membership", "role_id"
    HAVING max(CASE WHEN "holding" = 'not held' THEN 0 ELSE 1 END) = 0`,
    // Roles over all organisations that have them.
    role_facts: `SELECT ${of('r', 'snapshot_date')}, r."id" AS "role_id",
      CASE WHEN count(*) = count(r."name") AND min(r."name") = max(r."name") THEN min(r."name") END AS "role_name",
      max(CASE WHEN k."has_permissions" = 0 OR y."role_id" IS NOT NULL THEN 1 ELSE 0 END) AS "lacks_permissions"
    FROM found_roles r
    JOIN known k ON ${ofDay('k', 'r')}
    LEFT JOIN unread_permissions y
      ON ${ofDay('y', 'r')} AND y."organization_uuid" = r."organization_uuid" AND y."role_id" = r."id"
    GROUP BY r."snapshot_date", r."id"`,
    // A role is known by its permissions alone where the list of roles was not read.
    allowed_anywhere: `SELECT DISTINCT ${of('a', 'snapshot_date', 'role_id', 'action', 'resource_type', 'resource_id')}
    FROM found_permissions a
    JOIN known k ON ${ofDay('k', 'a')}
    LEFT JOIN unread_roles x ON ${ofDay('x', 'a')} AND x."organization_uuid" = a."organization_uuid"
    LEFT JOIN found_roles r
      ON ${ofDay('r', 'a')} AND r."organization_uuid" = a."organization_uuid" AND r."id" = a."role_id"
    WHERE k."has_roles" = 0 OR x."organization_uuid" IS NOT NULL OR r."id" IS NOT NULL`,
    facts: `-- The built-in role of every user.
    SELECT ${of('u', 'snapshot_date', 'organization_uuid')}, u."id" AS "user_id", ${of('u', 'email')}, 'member' AS "membership",
      'organization_role' AS "source", ${nothing('group_id', 'group_name', 'role_id')},
      u."organization_role" AS "role_name", ${noPermission},
      CASE WHEN u."organization_role" IS NULL THEN 'organization_role_not_served' END AS "reason"
    FROM found_users u
    JOIN known k ON ${ofDay('k', 'u')}
    UNION ALL
    -- Organisations whose users are not known.
    SELECT "snapshot_date", "organization_uuid", ${nothing('user_id', 'email')}, 'unknown', 'organization_role',
      ${nothing('group_id', 'group_name', 'role_id', 'role_name')}, ${noPermission}, 'users_not_read'
    FROM unread_users
    UNION ALL
    SELECT "snapshot_date", ${nothing('organization_uuid', 'user_id', 'email')}, 'unknown', 'group',
      ${nothing('group_id', 'group_name', 'role_id', 'role_name')}, ${noPermission}, 'groups_not_read'
    FROM known
    WHERE "all_groups" = 0
    UNION ALL
    -- Groups whose members are not known.
    SELECT x."snapshot_date", ${nothing('organization_uuid', 'user_id', 'email')}, 'unknown', 'group',
      x."group_id", g."name", ${nothing('role_id', 'role_name')}, ${noPermission}, 'group_members_not_read'
    FROM unread x
    LEFT JOIN found_groups g ON ${ofDay('g', 'x')} AND g."id" = x."group_id"
    WHERE x."stream" = '${groupMembers.name}'
    UNION ALL
    SELECT g."snapshot_date", ${nothing('organization_uuid', 'user_id', 'email')}, 'unknown', 'group',
      g."id", g."name", ${nothing('role_id', 'role_name')}, ${noPermission}, 'group_members_not_read'
    FROM found_groups g
    JOIN known k ON ${ofDay('k', 'g')}
    WHERE k."has_members" = 0
    UNION ALL
    -- Members of a group that gives no role, or of which it is not known what it gives.
    SELECT "snapshot_date", "organization_uuid", "user_id", "email", "membership", 'group',
      "group_id", "group_name", ${nothing('role_id', 'role_name')}, ${noPermission}, "unclear"
    FROM places
    WHERE "unclear" IS NOT NULL OR "given" = 0
    UNION ALL
    -- Roles that an organisation of the member has, or may have.
    SELECT p."snapshot_date", p."organization_uuid", p."user_id", p."email", p."membership", 'group',
      p."group_id", p."group_name", p."role_id", p."role_name", a."action", a."resource_type", a."resource_id",
      CASE WHEN p."holding" <> 'held' THEN p."holding" END
    FROM role_places p
    LEFT JOIN found_permissions a
      ON ${ofDay('a', 'p')} AND a."organization_uuid" = p."organization_uuid" AND a."role_id" = p."role_id"
      AND p."holding" = 'held'
    WHERE p."holding" <> 'not held'
    UNION ALL
    SELECT e."snapshot_date", ${nothing('organization_uuid')}, e."user_id", e."member_email",
      CASE WHEN e."membership" = 'member' THEN 'elsewhere' ELSE e."membership" END, 'group',
      e."group_id", e."group_name", e."role_id", f."role_name", a."action", a."resource_type", a."resource_id",
      CASE
        WHEN k."all_roles" = 0 THEN 'roles_not_read'
        WHEN f."role_id" IS NULL THEN 'role_not_listed'
        WHEN f."lacks_permissions" = 1 THEN 'role_permissions_not_read'
      END
    FROM roles_elsewhere e
    JOIN known k ON ${ofDay('k', 'e')}
    LEFT JOIN role_facts f ON ${ofDay('f', 'e')} AND f."role_id" = e."role_id"
    LEFT JOIN allowed_anywhere a ON ${ofDay('a', 'e')} AND a."role_id" = e."role_id"
    UNION ALL
    -- Members who may belong to an organisation whose users are not known.
    SELECT m."snapshot_date", x."organization_uuid", m."user_id", m."member_email", 'unknown', 'group',
      m."group_id", m."group_name", ${nothing('role_id', 'role_name')}, ${noPermission}, 'users_not_read'
    FROM memberships m
    JOIN unread_users x ON ${ofDay('x', 'm')}
    WHERE m."unclear" IS NOT NULL OR m."given" > 0`,
  };
  const parts = Object.entries(ctes).map(([name, sql]) => `  ${name} AS ${inlined}(\n    ${sql}\n  )`);
  const derived: Record<string, string> = {
    is_blanket: `CASE WHEN "action" IN (${blanketActions.map((action) => `'${action}'`).join(', ')}) THEN TRUE ELSE FALSE END`,
    status: `CASE WHEN "reason" IS NULL OR "reason" = 'role_not_listed' THEN 'known' ELSE 'unknown' END`,
  };
  const columns = effectiveAccessSchema.fields.map(({ name }) =>
    derived[name] === undefined ? `"${name}"` : `${derived[name]} AS "${name}"`,
  );
  return quoted(
    `WITH
${parts.join(',\n')}
SELECT ${columns.join(',\n  ')}
FROM facts${viewSettings}`,
    view,
  );
}
