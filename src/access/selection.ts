import type { AccessRow } from './schema.js';

/** Whom and what rows are to be about; what is left out is everybody, or everything. */
export interface AccessSelection {
  /** Ids of users. */
  users?: readonly string[] | undefined;
  /** UUIDs of organisations; case does not matter. */
  organizations?: readonly string[] | undefined;
}

/**
 * Chooses the rows about some users in some organisations. An unknown row that names no user, or no organisation, may be about
 * any: it is chosen as well, so that nothing that was not read looks like "no access".
 */
export function selectAccess({ users, organizations }: AccessSelection): (row: AccessRow) => boolean {
  const people = users && new Set(users);
  const places = organizations && new Set(organizations.map((uuid) => uuid.toLowerCase()));
  return ({ user_id, organization_uuid, status }) => {
    const has = (wanted: ReadonlySet<string> | undefined, id: string | null): boolean =>
      wanted === undefined || (id === null ? status === 'unknown' : wanted.has(id));
    return has(people, user_id) && has(places, organization_uuid?.toLowerCase() ?? null);
  };
}
