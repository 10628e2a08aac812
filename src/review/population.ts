import { accessOfPeople } from '../access/access-rows.js';
import type { Person } from '../access/people.js';
import type { AccessRow } from '../access/schema.js';
import { directoryOf } from '../access/snapshot-directory.js';
import type { PublishedSnapshot } from '../lake/file-rows.js';
import { Partitions } from '../storage/partitions.js';
import { plainText } from './row-digest.js';
import type { PopulationRow } from './schema.js';

export interface PopulationRequest {
  snapshot: PublishedSnapshot;
  /** The names of the organisations, by UUID: see `organizationNames`. */
  names: ReadonlyMap<string, string | null>;
  /** A folder of this work's own: users and group members are set aside there. */
  folder: string;
  signal?: AbortSignal | undefined;
}

/** A row of the population before it has a number. */
export type UnnumberedRow = Omit<PopulationRow, 'row_id'>;

/** The rows about one person; those about nobody, for what was not read, have none. */
export interface PopulationOfPerson {
  readonly person?: Person;
  readonly rows: readonly UnnumberedRow[];
}

/**
 * Who has access, one person after the other: for each organisation, role and group a row, in the order of effective access, whose
 * permissions are left out. Every user of every list that was read has a row, and so has every member of every group. What was
 * not read is a row with the status `unknown`.
 */
export async function* population(
  request: PopulationRequest,
): AsyncGenerator<PopulationOfPerson, void, void> {
  const { snapshot, names, folder, signal } = request;
  const directory = directoryOf(snapshot);
  const partitions = new Partitions(folder);
  for await (const { person, rows } of accessOfPeople({ directory, partitions, signal }))
    yield { ...(person && { person }), rows: [...rowsOf(person, rows, names)] };
}

/** The permissions of a role come one after the other: they make one row. */
function* rowsOf(
  person: Person | undefined,
  rows: Iterable<AccessRow>,
  names: PopulationRequest['names'],
): Generator<UnnumberedRow> {
  let last: UnnumberedRow | undefined;
  for (const access of rows) {
    const row = rowOf(person, access, names);
    if (last && isSameWay(last, row)) {
      last.blanket ??= row.blanket;
      continue;
    }
    if (last) yield last;
    last = row;
  }
  if (last) yield last;
}

const isSameWay = (one: UnnumberedRow, other: UnnumberedRow): boolean =>
  one.role_id !== null &&
  one.role_id === other.role_id &&
  one.group_id === other.group_id &&
  one.organization_uuid === other.organization_uuid;

function rowOf(
  person: Person | undefined,
  access: AccessRow,
  names: PopulationRequest['names'],
): UnnumberedRow {
  const { organization_uuid } = access;
  const memberships = person?.organizations ?? [];
  const own = memberships.find(({ organization }) => organization === organization_uuid) ?? memberships[0];
  return {
    run_date: access.snapshot_date,
    organization_uuid: plain(organization_uuid),
    organization_name: plain(organization_uuid === null ? null : (names.get(organization_uuid) ?? null)),
    user_id: plain(access.user_id),
    full_name: plain(own?.name ?? null),
    email: plain(access.email),
    membership: access.membership,
    granted_by: access.source,
    group_id: plain(access.group_id),
    group_name: plain(access.group_name),
    role_id: plain(access.role_id),
    role: plain(access.role_name),
    blanket: access.is_blanket ? 'yes' : null,
    status: access.status,
    reason: access.reason,
    decision: null,
    reviewer: null,
    decided_at: null,
    note: null,
  };
}

const plain = (text: string | null): string | null => (text === null ? null : plainText(text));
