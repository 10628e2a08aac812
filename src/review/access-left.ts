import { ConfigError } from '../errors.js';
import { chooseSnapshot } from '../lake/choose-snapshot.js';
import { withScratch } from '../storage/scratch.js';
import type { Storage } from '../storage/storage.js';
import { population, type UnnumberedRow } from './population.js';
import { savedText } from './row-digest.js';

/** A row that is to have no access any more. */
export interface Removal {
  about: {
    row: number | null;
    fileRow: number;
    userId: string | null;
    organizationUuid: string | null;
    groupId: string | null;
  };
  /** Granted by a group; otherwise by the membership of an organisation. */
  isOfGroup: boolean;
  /** Of the group. */
  roleId: string | null;
}

interface Request {
  storage: Storage;
  /** The day that was reviewed. */
  since: string;
  removals: readonly Removal[];
  scratch: string;
  signal?: AbortSignal | undefined;
}

export interface AccessLeft {
  /** The newest day of the root. */
  runDate: string;
  /** Those that still have access, or of which nobody knows. */
  found: [Removal, 'still_has_access' | 'access_unknown'][];
}

/**
 * Which removals the newest snapshot does not confirm. Who is still a member of the organisation has access, whatever his role is now;
 * who is still in the group has, unless the group gives that role no more.
 * @throws ConfigError `root_is_older`, `snapshot_missing`; what reading the snapshot throws
 */
export async function accessLeft({
  storage,
  since,
  removals,
  scratch,
  signal,
}: Request): Promise<AccessLeft> {
  const manifest = await chooseSnapshot(storage, undefined);
  const { run_date: runDate } = manifest;
  if (runDate < since) {
    throw new ConfigError(
      `The newest snapshot of ${storage.location} is of ${runDate}, before the day that was reviewed (${since}). Give the root that the pack was made from, by --root.`,
      { code: 'root_is_older' },
    );
  }
  const byPerson = new Map<string, Removal[]>();
  for (const removal of removals) {
    const id = removal.about.userId ?? '';
    byPerson.set(id, [...(byPerson.get(id) ?? []), removal]);
  }
  const still = new Set<Removal>();
  const unknown = new Set<Removal>();
  const gaps = gapBook();
  await withScratch(scratch, async (folder) => {
    const request = { snapshot: { storage, manifest }, names: new Map(), folder, signal };
    for await (const { person, rows } of population(request)) {
      if (!person) gaps.add(rows);
      for (const removal of (person && byPerson.get(savedText(person.id))) ?? []) {
        if (rows.some((row) => isAccessOf(row, removal))) still.add(removal);
        else if (rows.some((row) => mayBeOf(row, removal))) unknown.add(removal);
      }
    }
  });
  const found = removals.flatMap((removal): AccessLeft['found'] => {
    if (still.has(removal)) return [[removal, 'still_has_access']];
    const isUnknown = removal.about.userId === null || unknown.has(removal) || gaps.has(removal);
    return isUnknown ? [[removal, 'access_unknown']] : [];
  });
  return { runDate, found };
}

/** Whether a row of the person is the access that was to be removed. */
function isAccessOf(row: UnnumberedRow, { about, isOfGroup, roleId }: Removal): boolean {
  if (!isOfGroup) return isOfMembership(row) && isSame(row.organization_uuid, about.organizationUuid);
  if (!isSame(row.group_id, about.groupId) || row.granted_by !== 'group') return false;
  const isPlace = row.organization_uuid === null || isSame(row.organization_uuid, about.organizationUuid);
  const isRole = roleId === null || isSame(row.role_id, roleId);
  return isRole && (isPlace || about.organizationUuid === null);
}

const isOfMembership = ({ granted_by }: UnnumberedRow): boolean => granted_by === 'organization_role';

/** Whether a row of the person is about something that was not read, where that access may be. */
function mayBeOf(row: UnnumberedRow, { about, isOfGroup }: Removal): boolean {
  if (row.status === 'known' || isOfMembership(row) === isOfGroup) return false;
  const isPlace =
    row.organization_uuid === null ||
    about.organizationUuid === null ||
    isSame(row.organization_uuid, about.organizationUuid);
  return isPlace && (!isOfGroup || isSame(row.group_id, about.groupId));
}

/** The lists that were not read, of which it is not known whom they are about. */
function gapBook() {
  const places = new Set<string | null>();
  const hidden = new Set<string | null>();
  const isIn = (gaps: ReadonlySet<string | null>, id: string | null): boolean =>
    gaps.has(null) || gaps.has(id);
  return {
    add(rows: readonly UnnumberedRow[]): void {
      for (const row of rows) {
        const [gaps, id] = isOfMembership(row) ? [places, row.organization_uuid] : [hidden, row.group_id];
        gaps.add(id === null ? null : savedText(id));
      }
    },
    has: ({ about, isOfGroup }: Removal): boolean =>
      isOfGroup ? isIn(hidden, about.groupId) : isIn(places, about.organizationUuid),
  };
}

/** Ids as a spreadsheet saves them. */
const isSame = (one: string | null, other: string | null): boolean =>
  (one === null ? '' : savedText(one)) === (other ?? '');
