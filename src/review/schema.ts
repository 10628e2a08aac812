import type { AccessReason, AccessRow } from '../access/schema.js';
import { derivedColumns, type StreamSchema } from '../model/schema.js';

/** One way in which one person has access, and what a reviewer decides about it. */
export type PopulationRow = {
  /** `r17-3fa9c2d1e0b4`: the number of the row, from 1, and the start of the SHA-256 of what it says. */
  row_id: string;
  run_date: string;
  organization_uuid: string | null;
  organization_name: string | null;
  user_id: string | null;
  full_name: string | null;
  email: string | null;
  membership: AccessRow['membership'];
  granted_by: AccessRow['source'];
  group_id: string | null;
  group_name: string | null;
  role_id: string | null;
  role: string | null;
  blanket: 'yes' | null;
  status: AccessRow['status'];
  reason: AccessReason | null;
  decision: null;
  reviewer: null;
  decided_at: null;
  note: null;
};

const { column, required } = derivedColumns<PopulationRow & ExceptionRow>();

const identifying = [
  column('organization_uuid', 'The organisation; empty when the row is not about one.'),
  column('organization_name', 'Its name.'),
  column('user_id', 'Who; empty where a list was not read, so that it is not known who.'),
  column('full_name', 'The name of the user in this organisation, or in another one.'),
  column('email', 'The e-mail address of the user in this organisation, or of the group membership.'),
  required(
    'membership',
    'member: of this organisation. elsewhere: only of others. none: an orphan, in a group and in no organisation. unknown: not all users were read.',
  ),
  required(
    'granted_by',
    'organization_role: the built-in role of the user. group: a group, with the role it gives.',
  ),
  column('group_id', 'The group.'),
  column('group_name', 'The name of the group.'),
  column('role_id', 'The role; empty for a built-in role of an organisation.'),
  column('role', 'The name of the role.'),
  column('blanket', 'yes: the role allows everything of a kind (`capability_access_all…`).'),
  required('status', 'known, or unknown: something was not read. Unknown is never "no access".'),
  column('reason', 'Why it is unknown, as a code.'),
];

/** The columns by which a row is recognised when it comes back: all but the date, which spreadsheets write in their own form. */
export const identifyingColumns: readonly string[] = identifying.map(({ name }) => name);

/** The columns that a reviewer fills in. */
export const DECISION = 'decision';

/** The words that a decision may be, in upper or lower case. */
export const decisions = ['keep', 'remove'] as const;
export type Decision = (typeof decisions)[number];

/** The columns of `population`: who had access on a day, for somebody who decides about each row. */
export const populationSchema: StreamSchema = {
  name: 'population',
  description: 'Who had access as of a day: one row for each person, organisation and role or group.',
  fields: [
    required(
      'row_id',
      'The number of the row and a digest of what it says: it recognises the row when it comes back.',
    ),
    required('run_date', 'The day of the snapshot (UTC).'),
    ...identifying,
    column(DECISION, `What is decided: ${decisions.join(' or ')}.`),
    column('reviewer', 'Who decided.'),
    column('decided_at', 'When.'),
    column('note', 'Why, or what else there is to say.'),
  ],
  primaryKey: ['row_id'],
};

export const exceptionKinds = [
  'orphan',
  'owner',
  'blanket_permission',
  'organization_without_owner',
  'not_in_identity_provider',
] as const;
export type ExceptionKind = (typeof exceptionKinds)[number];

/** Something that a reviewer looks at first. */
export type ExceptionRow = {
  kind: ExceptionKind;
  run_date: string;
  organization_uuid: string | null;
  organization_name: string | null;
  user_id: string | null;
  full_name: string | null;
  email: string | null;
  group_id: string | null;
  role: string | null;
  status: 'known' | 'unknown';
  row_id: string | null;
};

/** The columns of `exceptions`. */
export const exceptionsSchema: StreamSchema = {
  name: 'exceptions',
  description: 'What a reviewer looks at first.',
  fields: [
    required('kind', exceptionKinds.join(', ')),
    required('run_date', 'The day of the snapshot (UTC).'),
    column('organization_uuid', 'The organisation.'),
    column('organization_name', 'Its name.'),
    column('user_id', 'Who.'),
    column('full_name', 'The name of the user.'),
    column('email', 'The e-mail address.'),
    column('group_id', 'The group that it is about.'),
    column('role', 'The role that it is about.'),
    required('status', 'known, or unknown: something was not read, so that it may be otherwise.'),
    column('row_id', 'The row of the population that it is about; empty when it is not about one.'),
  ],
  primaryKey: ['kind', 'organization_uuid', 'user_id', 'email', 'row_id'],
};
