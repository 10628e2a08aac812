import type { Permission } from './roles.js';
import { type AccessReason, type AccessRow, isBlanket } from './schema.js';

/** Whom a row is about, and how it came about. */
export type Place = Pick<
  AccessRow,
  'organization_uuid' | 'user_id' | 'email' | 'membership' | 'source' | 'group_id' | 'group_name'
>;

/** What it says; what is left out is null. */
export interface Said {
  role_id?: string | null;
  role_name?: string | null;
  permission?: Permission;
  /** A code other than `role_not_listed` means that it is unknown. */
  reason?: AccessReason | null;
}

/** Makes the rows of a snapshot. Every column is written down: there are millions of rows, and this is the quickest way. */
export const rowMakerOf =
  (snapshot_date: string) =>
  (place: Place, { role_id = null, role_name = null, permission, reason = null }: Said = {}): AccessRow => {
    const action = permission ? permission.action : null;
    return {
      snapshot_date,
      organization_uuid: place.organization_uuid,
      user_id: place.user_id,
      email: place.email,
      membership: place.membership,
      source: place.source,
      group_id: place.group_id,
      group_name: place.group_name,
      role_id,
      role_name,
      action,
      resource_type: permission ? permission.resource_type : null,
      resource_id: permission ? permission.resource_id : null,
      is_blanket: isBlanket(action),
      status: reason === null || reason === 'role_not_listed' ? 'known' : 'unknown',
      reason,
    };
  };
export type MakeRow = ReturnType<typeof rowMakerOf>;
