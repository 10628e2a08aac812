import { isOwner } from '../access/built-in-roles.js';
import type { Person } from '../access/people.js';
import { normalAddress } from './identity-provider.js';
import { plainText } from './row-digest.js';
import { type ExceptionKind, type ExceptionRow, exceptionKinds, type PopulationRow } from './schema.js';

export interface ExceptionsOptions {
  runDate: string;
  /** The names of the organisations of the snapshot, by UUID. */
  names: ReadonlyMap<string, string | null>;
  /** Whether the list of users of an organisation was read. */
  hasUsers: (organization: string) => boolean;
  /** The normal addresses that an identity provider knows; without it nothing is said of that. */
  known?: ReadonlySet<string> | undefined;
}

/** Finds what a reviewer looks at first, while the population passes. */
export function exceptionFinder({ runDate, names, hasUsers, known }: ExceptionsOptions) {
  /** Of the organisations: an owner was seen, or may be there. */
  const owned = new Set<string>();
  const unclear = new Set<string>();
  const counts = Object.fromEntries(exceptionKinds.map((kind) => [kind, 0])) as Record<ExceptionKind, number>;
  const counted = (row: ExceptionRow): ExceptionRow => {
    counts[row.kind] += 1;
    return row;
  };

  function* of(person: Person | undefined, rows: readonly PopulationRow[]): Generator<ExceptionRow> {
    for (const row of rows) {
      look(row);
      for (const kind of kindsOf(row)) yield counted(exception(kind, row));
    }
    const [first] = rows;
    if (person && known && first) yield* unknownAccounts(person, first, known);
  }

  function look({ granted_by, organization_uuid, role, status }: PopulationRow): void {
    if (granted_by !== 'organization_role' || organization_uuid === null) return;
    if (isOwner(role)) owned.add(organization_uuid);
    else if (status === 'unknown') unclear.add(organization_uuid);
  }

  /** One row for each address that is not known; an account without any cannot be known. */
  function* unknownAccounts(
    person: Person,
    row: PopulationRow,
    addresses: ReadonlySet<string>,
  ): Generator<ExceptionRow> {
    const all = [...person.organizations, ...person.groups].map(({ email }) => email);
    const own = new Map(
      all.flatMap((email) => (email === null ? [] : [[normalAddress(email), email] as const])),
    );
    own.delete('');
    const missing = [...own].filter(([normal]) => !addresses.has(normal));
    const about = {
      ...exception('not_in_identity_provider', row),
      organization_uuid: null,
      organization_name: null,
    };
    for (const [, email] of missing)
      yield counted({
        ...about,
        email: plainText(email),
        group_id: null,
        role: null,
        row_id: row.row_id,
        status: 'known',
      });
    if (own.size === 0)
      yield counted({
        ...about,
        email: null,
        group_id: null,
        role: null,
        row_id: row.row_id,
        status: 'unknown',
      });
  }

  /** The organisations of which no owner was seen; to be asked at the end. */
  function* withoutOwner(): Generator<ExceptionRow> {
    for (const [uuid, name] of names) {
      if (owned.has(uuid)) continue;
      yield counted({
        ...EMPTY,
        kind: 'organization_without_owner',
        run_date: runDate,
        organization_uuid: uuid,
        organization_name: name === null ? null : plainText(name),
        status: unclear.has(uuid) || !hasUsers(uuid) ? 'unknown' : 'known',
      });
    }
  }

  return { of, withoutOwner, counts: () => ({ ...counts }) };
}

function* kindsOf({ membership, granted_by, role, blanket }: PopulationRow): Generator<ExceptionKind> {
  if (membership === 'none') yield 'orphan';
  if (granted_by === 'organization_role' && isOwner(role)) yield 'owner';
  if (blanket === 'yes') yield 'blanket_permission';
}

const exception = (kind: ExceptionKind, row: PopulationRow): ExceptionRow => ({
  kind,
  run_date: row.run_date,
  organization_uuid: row.organization_uuid,
  organization_name: row.organization_name,
  user_id: row.user_id,
  full_name: row.full_name,
  email: row.email,
  group_id: row.group_id,
  role: row.role,
  status: row.status,
  row_id: row.row_id,
});

const EMPTY = {
  organization_uuid: null,
  organization_name: null,
  user_id: null,
  full_name: null,
  email: null,
  group_id: null,
  role: null,
  row_id: null,
};
