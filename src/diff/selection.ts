import { ConfigError } from '../errors.js';
import type { Manifest } from '../lake/manifest.js';
import type { Row } from '../model/rows.js';
import { scopedStream } from '../streams/index.js';
import { ownKey, type ParentKey, type Stream } from '../streams/stream.js';

/** What a comparison is to be about. */
export interface Selection {
  hasList(parent: ParentKey): boolean;
  /** Those records of a list that it is about. */
  recordsOf(stream: Stream, rows: Rows): Rows;
}

type Rows = AsyncGenerator<readonly Row[], void, void>;

/**
 * Chooses some organisations, and what belongs to none of them: groups, their members, keys. Case does not matter in a UUID.
 * @param organizations UUIDs; default: all
 * @throws ConfigError `organization_not_listed` for one that neither snapshot knows: "nothing changed" would be no answer
 */
export function selectionOf(
  organizations: readonly string[] | undefined,
  manifests: readonly Manifest[],
): Selection {
  if (!organizations) return { hasList: () => true, recordsOf: (_, rows) => rows };
  const wanted = new Set(organizations.map((uuid) => uuid.toLowerCase()));
  checkKnown(organizations, manifests);
  return {
    hasList: ({ organization_uuid: uuid }) => uuid === undefined || wanted.has(uuid.toLowerCase()),
    recordsOf: (stream, rows) =>
      stream === scopedStream ? chosen(rows, (row) => wanted.has(ownKey(stream, row).toLowerCase())) : rows,
  };
}

async function* chosen(rows: Rows, isWanted: (row: Row) => boolean): Rows {
  for await (const batch of rows) yield batch.filter(isWanted);
}

/** By the lists that were read: where there is none of any organisation, nothing is known of them. */
function checkKnown(organizations: readonly string[], manifests: readonly Manifest[]): void {
  const slices = manifests.flatMap(({ tables }) => Object.values(tables)).flatMap((table) => table.slices);
  const known = new Set(slices.flatMap(({ parent }) => parent.organization_uuid?.toLowerCase() ?? []));
  const missing = organizations.filter((uuid) => !known.has(uuid.toLowerCase()));
  if (missing.length === 0 || known.size === 0) return;
  throw new ConfigError(
    `Neither ${manifests.map(({ run_date }) => run_date).join(' nor ')} has a list of ${missing.length === 1 ? 'the organisation' : 'the organisations'} ${missing.join(', ')}.`,
    { code: 'organization_not_listed' },
  );
}
