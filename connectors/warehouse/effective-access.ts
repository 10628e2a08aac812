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

/** Where a view is made. */
interface View {
  schema: string;
  dialect: Dialect;
}

/**
 * Who may do what, by each snapshot that was loaded: the same rows as the library's `effectiveAccess` derives. What a list
 * that was not read would say is a row whose status is `unknown`.
 */
export const accessView = {
  name: effectiveAccessSchema.name,
  create: (view: View): string => createView(view, accessView.name, query(view)),
};

/** The same of the current day. */
export const currentAccessView = {
  name: `${accessView.name}_current`,
  /** @param day an expression; by default the view finds it itself */
  create: (view: View, day = currentAccessDay(view)): string =>
    createView(view, currentAccessView.name, query(view, day)),
};

const createView = (view: View, name: string, sql: string): string =>
  `CREATE OR REPLACE VIEW ${nameIn(view, name)} AS\n${sql}`;

const nameIn = ({ schema, dialect }: View, name: string): string => dialect.quoting.name(schema, name);

/** Names in the text below are in double quotes; here they get the quotes of the engine. */
const quoted = (sql: string, { dialect }: View): string =>
  sql.replaceAll(/"(\w+)"/g, (_, name: string) => dialect.quoting.name(name));

/**
 * The newest run date whose snapshot is complete and holds everything that is needed completely; where there is none, the
 * newest at all: then the view says what is unknown, and an empty one would say that nobody may do anything.
 */
export function currentAccessDay(view: View): string {
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

/** @param day the only run date that is read; without it, all */
function query(view: View, day?: string): string {
  const { dialect } = view;
  const { types, elements, nullable: orNull = (type) => type, viewSettings = '' } = dialect;
  const only = (column: string): string => (day === undefined ? '' : ` WHERE ${column} = ${day}`);
  const days = nameIn(view, snapshotsTable.name);
  const table = ({ name }: Stream): string => nameIn(view, `${name}_snapshot`);
  const rowsOf = (stream: Stream, columns: string): string =>
    `SELECT "snapshot_date", ${columns} FROM ${table(stream)}${only('"snapshot_date"')}`;
  const has = (stream: Stream): string => `max(CASE WHEN "stream" = '${stream.name}' THEN 1 ELSE 0 END)`;
  const unread = (stream: Stream): string => `count(CASE WHEN "stream" = '${stream.name}' THEN 1 END)`;
  const nothing = (...columns: string[]): string =>
    columns.map((column) => `CAST(NULL AS ${orNull(types.string)}) AS "${column}"`).join(', ');
  /** Named, since ClickHouse would keep the alias in the name. */
  const of = (alias: string, ...columns: string[]): string =>
    columns.map((column) => `${alias}."${column}" AS "${column}"`).join(', ');
  const ofDay = (left: string, right: string): string => `${left}."snapshot_date" = ${right}."snapshot_date"`;
  const element = elements(`g."roles"`);
  const held = ['has_users', 'has_roles', 'has_permissions', 'has_groups', 'has_members', 'has_all'];
  const flags = ['has_roles', 'has_permissions', 'all_roles'];
  const member = ['snapshot_date', 'group_id', 'group_name', 'user_id', 'member_email', 'role_id', 'unclear'];
  const noRole = nothing('role_id', 'role_name', 'action', 'resource_type', 'resource_id');

  const parts: Record<string, string> = {
    found_users: rowsOf(users, '"organization_uuid", "id", "email", "organization_role"'),
    found_roles: rowsOf(roles, '"organization_uuid", "id", "name"'),
    found_permissions: rowsOf(
      rolePermissions,
      '"organization_uuid", "role_id", "action", "resource_type", "resource_id"',
    ),
    found_groups: rowsOf(
      groups,
      '"id", "name", CASE WHEN "roles" IS NULL THEN 1 ELSE 0 END AS "has_no_list"',
    ),
    found_members: rowsOf(groupMembers, '"group_id", "user_id", "email"'),
    // An element that is no text names no role that could be found; it is null here.
    role_elements: `SELECT ${of('g', 'snapshot_date')}, g."id" AS "group_id", ${element.text} AS "role_id"
    FROM ${table(groups)} g ${element.from}${only('g."snapshot_date"')}`,
    // A day is there when `snapshots` has it: its other rows may arrive before. A list that is gone is empty, and that is known.
    unread: `SELECT "run_date" AS "snapshot_date", "stream", "organization_uuid", "role_id", "group_id"
    FROM ${nameIn(view, unreadListsTable.name)}
    WHERE "verdict" <> 'gone' AND "run_date" ${day === undefined ? `IN (SELECT "run_date" FROM ${days})` : `= ${day}`}`,
    held_tables: `SELECT "run_date" AS "snapshot_date",
      ${has(users)} AS "has_users", ${has(roles)} AS "has_roles", ${has(rolePermissions)} AS "has_permissions",
      ${has(groups)} AS "has_groups", ${has(groupMembers)} AS "has_members",
      max(CASE WHEN "has_all_organizations" THEN 1 ELSE 0 END) AS "has_all"
    FROM ${days}${only('"run_date"')}
    GROUP BY "run_date"`,
    unread_counts: `SELECT "snapshot_date",
      ${unread(users)} AS "users", ${unread(roles)} AS "roles", ${unread(groups)} AS "groups"
    FROM unread
    GROUP BY "snapshot_date"`,
    // What is known of each day.
    known: `SELECT ${of('t', 'snapshot_date', ...held)},
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
    element_counts: `SELECT "snapshot_date", "group_id", count(*) AS "elements", count("role_id") AS "texts"
    FROM role_elements
    GROUP BY "snapshot_date", "group_id"`,
    group_facts: `SELECT ${of('g', 'snapshot_date', 'id', 'name')},
      CASE WHEN g."has_no_list" = 0 AND c."elements" IS NULL THEN 1 ELSE 0 END AS "is_empty",
      CASE WHEN g."has_no_list" = 1 OR c."texts" < c."elements" THEN 'group_roles_unavailable' END AS "unclear"
    FROM found_groups g
    LEFT JOIN element_counts c ON ${ofDay('c', 'g')} AND c."group_id" = g."id"`,
    // Each role that a group gives, once; null: it gives none, or it may give more.
    offers: `SELECT "snapshot_date", "id" AS "group_id", ${nothing('role_id')}, "unclear"
    FROM group_facts
    WHERE "is_empty" = 1 OR "unclear" IS NOT NULL
    UNION ALL
    SELECT DISTINCT "snapshot_date", "group_id", "role_id", ${nothing('unclear')}
    FROM role_elements
    WHERE "role_id" IS NOT NULL`,
    memberships: `SELECT ${of('m', 'snapshot_date', 'group_id')}, g."name" AS "group_name", ${of('m', 'user_id')},
      m."email" AS "member_email", ${of('o', 'role_id')},
      CASE WHEN g."id" IS NULL THEN 'groups_not_read' ELSE o."unclear" END AS "unclear"
    FROM found_members m
    LEFT JOIN found_groups g ON ${ofDay('g', 'm')} AND g."id" = m."group_id"
    LEFT JOIN offers o ON ${ofDay('o', 'm')} AND o."group_id" = m."group_id"`,
    // The same in each organisation of the member, or in none: whether the role is held there.
    places: `SELECT ${of('m', ...member)}, ${of('u', 'organization_uuid', 'email')}, ${of('k', ...flags)},
      CASE WHEN u."id" IS NOT NULL THEN 'member' WHEN k."all_users" = 1 THEN 'none' ELSE 'unknown' END AS "membership",
      r."name" AS "role_name",
      CASE
        WHEN u."id" IS NULL THEN 'not held'
        WHEN k."has_roles" = 0 OR x."organization_uuid" IS NOT NULL THEN 'roles_not_read'
        WHEN r."id" IS NULL THEN 'not held'
        WHEN k."has_permissions" = 0 OR y."role_id" IS NOT NULL THEN 'role_permissions_not_read'
        ELSE 'held'
      END AS "holding"
    FROM memberships m
    JOIN known k ON ${ofDay('k', 'm')}
    LEFT JOIN found_users u ON ${ofDay('u', 'm')} AND u."id" = m."user_id"
    LEFT JOIN unread_roles x ON ${ofDay('x', 'm')} AND x."organization_uuid" = u."organization_uuid"
    LEFT JOIN found_roles r
      ON ${ofDay('r', 'm')} AND r."organization_uuid" = u."organization_uuid" AND r."id" = m."role_id"
    LEFT JOIN unread_permissions y
      ON ${ofDay('y', 'm')} AND y."organization_uuid" = u."organization_uuid" AND y."role_id" = m."role_id"`,
    // A role that none of the member's organisations has is kept once.
    numbered_places: `SELECT ${of('p', ...member, 'organization_uuid', 'email', ...flags, 'membership', 'role_name', 'holding')},
      max(CASE WHEN p."holding" = 'not held' THEN 0 ELSE 1 END) OVER (
        PARTITION BY p."snapshot_date", p."group_id", p."user_id", p."role_id"
      ) AS "is_held",
      row_number() OVER (
        PARTITION BY p."snapshot_date", p."group_id", p."user_id", p."role_id" ORDER BY p."organization_uuid"
      ) AS "place"
    FROM places p`,
    holdings: `SELECT ${of('p', ...member, 'organization_uuid', 'email', ...flags, 'membership', 'role_name')},
      CASE
        WHEN p."role_id" IS NULL THEN 'no role'
        WHEN p."is_held" = 0 THEN 'elsewhere'
        ELSE p."holding"
      END AS "holding"
    FROM numbered_places p
    WHERE p."role_id" IS NULL OR p."holding" <> 'not held' OR (p."is_held" = 0 AND p."place" = 1)`,
    // A role over all organisations that have it. Permissions are of listed roles only, or of roles that were not read.
    role_facts: `SELECT ${of('r', 'snapshot_date')}, r."id" AS "role_id",
      CASE WHEN count(*) = count(r."name") AND min(r."name") = max(r."name") THEN min(r."name") END AS "role_name",
      count(y."role_id") AS "unread_count"
    FROM found_roles r
    LEFT JOIN unread_permissions y
      ON ${ofDay('y', 'r')} AND y."organization_uuid" = r."organization_uuid" AND y."role_id" = r."id"
    GROUP BY r."snapshot_date", r."id"`,
    allowed_anywhere: `SELECT DISTINCT "snapshot_date", "role_id", "action", "resource_type", "resource_id" FROM found_permissions`,
    facts: `-- The built-in role of every user.
    SELECT ${of('u', 'snapshot_date', 'organization_uuid')}, u."id" AS "user_id", ${of('u', 'email')}, 'member' AS "membership",
      'organization_role' AS "source", ${nothing('group_id', 'group_name', 'role_id')},
      u."organization_role" AS "role_name", ${nothing('action', 'resource_type', 'resource_id')},
      CASE WHEN u."organization_role" IS NULL THEN 'organization_role_not_served' END AS "reason"
    FROM found_users u
    JOIN known k ON ${ofDay('k', 'u')}
    UNION ALL
    -- Organisations whose users are not known.
    SELECT "snapshot_date", "organization_uuid", ${nothing('user_id', 'email')}, 'unknown', 'organization_role',
      ${nothing('group_id', 'group_name')}, ${noRole}, 'users_not_read'
    FROM unread_users
    UNION ALL
    SELECT "snapshot_date", ${nothing('organization_uuid', 'user_id', 'email')}, 'unknown', 'group',
      ${nothing('group_id', 'group_name')}, ${noRole}, 'groups_not_read'
    FROM known
    WHERE "all_groups" = 0
    UNION ALL
    -- Groups whose members are not known.
    SELECT x."snapshot_date", ${nothing('organization_uuid', 'user_id', 'email')}, 'unknown', 'group',
      x."group_id", g."name", ${noRole}, 'group_members_not_read'
    FROM unread x
    LEFT JOIN found_groups g ON ${ofDay('g', 'x')} AND g."id" = x."group_id"
    WHERE x."stream" = '${groupMembers.name}'
    UNION ALL
    SELECT g."snapshot_date", ${nothing('organization_uuid', 'user_id', 'email')}, 'unknown', 'group',
      g."id", g."name", ${noRole}, 'group_members_not_read'
    FROM found_groups g
    JOIN known k ON ${ofDay('k', 'g')}
    WHERE k."has_members" = 0
    UNION ALL
    -- What groups give their members.
    SELECT h."snapshot_date", CASE WHEN h."holding" <> 'elsewhere' THEN h."organization_uuid" END, h."user_id",
      CASE WHEN h."membership" = 'member' AND h."holding" <> 'elsewhere' THEN h."email" ELSE h."member_email" END,
      CASE WHEN h."membership" = 'member' AND h."holding" = 'elsewhere' THEN 'elsewhere' ELSE h."membership" END,
      'group', h."group_id", h."group_name", h."role_id",
      CASE WHEN h."holding" = 'elsewhere' THEN f."role_name" ELSE h."role_name" END,
      COALESCE(a."action", b."action"),
      COALESCE(a."resource_type", b."resource_type"),
      COALESCE(a."resource_id", b."resource_id"),
      CASE
        WHEN h."holding" = 'no role' THEN h."unclear"
        WHEN h."holding" IN ('roles_not_read', 'role_permissions_not_read') THEN h."holding"
        WHEN h."holding" = 'held' THEN NULL
        WHEN h."all_roles" = 0 THEN 'roles_not_read'
        WHEN f."role_id" IS NULL THEN 'role_not_listed'
        WHEN h."has_permissions" = 0 OR f."unread_count" > 0 THEN 'role_permissions_not_read'
      END
    FROM holdings h
    LEFT JOIN found_permissions a
      ON ${ofDay('a', 'h')} AND a."organization_uuid" = h."organization_uuid" AND a."role_id" = h."role_id"
      AND h."holding" = 'held'
    LEFT JOIN role_facts f ON ${ofDay('f', 'h')} AND f."role_id" = h."role_id" AND h."holding" = 'elsewhere'
    LEFT JOIN allowed_anywhere b ON ${ofDay('b', 'h')} AND b."role_id" = h."role_id" AND h."holding" = 'elsewhere'
    UNION ALL
    -- Members who may belong to an organisation whose users are not known.
    SELECT m."snapshot_date", x."organization_uuid", m."user_id", m."email", 'unknown', 'group',
      m."group_id", g."name", ${noRole}, 'users_not_read'
    FROM found_members m
    JOIN unread_users x ON ${ofDay('x', 'm')}
    LEFT JOIN group_facts g ON ${ofDay('g', 'm')} AND g."id" = m."group_id"
    WHERE COALESCE(g."is_empty", 0) = 0`,
  };
  const derived: Record<string, string> = {
    is_blanket: `CASE WHEN "action" IN (${blanketActions.map((action) => `'${action}'`).join(', ')}) THEN TRUE ELSE FALSE END`,
    status: `CASE WHEN "reason" IS NULL OR "reason" = 'role_not_listed' THEN 'known' ELSE 'unknown' END`,
  };
  const columns = effectiveAccessSchema.fields.map(({ name }) =>
    derived[name] === undefined ? `"${name}"` : `${derived[name]} AS "${name}"`,
  );
  // Of one day, parts may be computed once; of all days, what is asked of the view must reach every part.
  const inlined = day === undefined ? (dialect.inlined ?? '') : '';
  return quoted(
    `WITH
${Object.entries(parts)
  .map(([name, sql]) => `  ${name} AS ${inlined}(\n    ${sql}\n  )`)
  .join(',\n')}
SELECT ${columns.join(',\n  ')}
FROM facts${viewSettings}`,
    view,
  );
}
