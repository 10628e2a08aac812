import { derivedColumns, SNAPSHOT_DATE, type StreamSchema } from '../model/schema.js';

/** Actions that allow everything of their kind. */
export const blanketActions: readonly string[] = ['capability_access_all', 'capability_access_all_ga'];

/** Whether a permission allows everything of its kind. */
export const isBlanket = (action: string | null): boolean =>
  action !== null && blanketActions.includes(action);

/** Why a row is as it is; all but `role_not_listed` mean that something was not read. */
export type AccessReason =
  | 'organization_role_not_served'
  | 'users_not_read'
  | 'roles_not_read'
  | 'role_permissions_not_read'
  | 'groups_not_read'
  | 'group_members_not_read'
  | 'group_roles_unavailable'
  | 'role_not_listed';

/** One thing that somebody may do, how that came about, and whether it is known. */
export type AccessRow = {
  snapshot_date: string;
  organization_uuid: string | null;
  user_id: string | null;
  email: string | null;
  membership: 'member' | 'elsewhere' | 'none' | 'unknown';
  source: 'organization_role' | 'group';
  group_id: string | null;
  group_name: string | null;
  role_id: string | null;
  role_name: string | null;
  action: string | null;
  resource_type: string | null;
  resource_id: string | null;
  is_blanket: boolean;
  status: 'known' | 'unknown';
  reason: AccessReason | null;
};

const { column, required } = derivedColumns<AccessRow>();

/** The columns of `effective_access`. It has no `extra`: nothing in it is as the API served it. */
export const effectiveAccessSchema: StreamSchema = {
  name: 'effective_access',
  description:
    'Who may do what, derived from one snapshot: one row for each way in which a permission came about.',
  fields: [
    SNAPSHOT_DATE,
    column('organization_uuid', 'Where it holds; null when it is not about one organisation.'),
    column('user_id', 'Who; null where a list was not read, so that it is not known who.'),
    column(
      'email',
      'Of the user in this organisation; where it is not known that there is one, of the group membership.',
    ),
    required(
      'membership',
      'member: of this organisation. elsewhere: only of others. none: in a group and in no organisation. unknown: not all users were read.',
    ),
    required('source', 'organization_role: the built-in role of the user. group: a role that a group gives.'),
    column('group_id', 'The group that gives the role.'),
    column('group_name', 'The name of the group.'),
    column('role_id', 'The role; null for a built-in role of an organisation.'),
    column('role_name', 'The name of the role.'),
    column(
      'action',
      'What is allowed. Null: the role names no permission, or it is unknown; built-in roles name none.',
    ),
    column('resource_type', 'The kind of thing that it is allowed on.'),
    column('resource_id', 'The one thing that it is allowed on.'),
    {
      ...required(
        'is_blanket',
        'Whether the action allows everything of its kind (`capability_access_all…`).',
      ),
      type: 'boolean',
    },
    required('status', 'known, or unknown: something was not read. Unknown is never "no access".'),
    column('reason', 'Why it is unknown, as a code.'),
  ],
  primaryKey: [
    'organization_uuid',
    'user_id',
    'source',
    'group_id',
    'role_id',
    'action',
    'resource_type',
    'resource_id',
    'reason',
  ],
};
