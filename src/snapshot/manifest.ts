import { z } from 'zod';
import { dateFolder } from './partition.js';

const count = z.int().min(0);
const instant = z.iso.datetime({ precision: 3 });

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const connector = z.object({ name: z.string(), version: z.string(), node: z.string() });

/** One data file, named relative to the root. */
const fileEntry = z.object({
  path: z.string(),
  rows: count,
  bytes: count,
  sha256,
});
export type FileEntry = z.infer<typeof fileEntry>;

/** What a chain of custody needs of one walk through a list, for which the API has no checksum. */
const walkEvidence = z.object({
  endpoint: z.string().describe('The path that was asked, without the host.'),
  parameters: z.record(z.string(), z.unknown()).describe('The query, without page tokens.'),
  rows: count,
  pages: count,
  duplicates: count.describe('Records that the API served again in the same walk, and that were dropped.'),
  surrogates_repaired: count.describe('Texts in which a lone surrogate became U+FFFD.'),
  first_request_id: z.string().nullable(),
  last_request_id: z.string().nullable(),
  first_request_at: instant.nullable(),
  last_request_at: instant.nullable(),
});
export type WalkEvidence = z.infer<typeof walkEvidence>;

const slice = walkEvidence.extend({
  organization_uuid: z.string(),
  verdict: z
    .enum(['complete', 'gone', 'failed'])
    .describe('gone: answered 404, and no longer in the list when that was read again.'),
  reason: z.object({ code: z.string(), message: z.string() }).nullable(),
  files: z.array(fileEntry),
});
/** One organisation's users, as the manifest tells of them. */
export type Slice = z.infer<typeof slice>;

/** What a run was asked to read. */
export const scope = z.object({
  streams: z.array(z.string()),
  organizations: z.union([z.literal('all'), z.array(z.string())]),
});
/** What a run was asked to read. */
export type Scope = z.infer<typeof scope>;

/** How the users of a run date lie in files. */
export const layouts = ['per-org', 'per-date'] as const;
export type Layout = (typeof layouts)[number];

/** The truth about one run date. Readers trust the files it lists when `status` is `complete`. */
export const manifestSchema = z
  .object({
    manifest_version: z.literal(1),
    status: z
      .enum(['publishing', 'complete', 'incomplete', 'pruned'])
      .describe(
        'publishing: the data is being put in place, a bare glob may see a mix. incomplete: an organisation failed. pruned: the files were removed, what they were stays told.',
      ),
    run_id: z.string(),
    run_date: z.iso.date(),
    started_at: instant,
    extracted_at: instant.describe('When the last page had been read.'),
    published_at: instant.nullable().describe('Null while publishing.'),
    connector,
    format: z.string(),
    layout: z
      .enum(layouts)
      .describe(
        'per-org: the files of users are told slice by slice. per-date: together, in the order of organization_uuid.',
      ),
    schema_version: count,
    scope,
    configuration: z.record(z.string(), z.unknown()).describe('The settings of the run, without secrets.'),
    lock: count
      .nullable()
      .describe('The number of the lock under which it was published; null without locks.'),
    replaces: z
      .object({ run_id: z.string(), status: z.enum(['complete', 'incomplete']), scope })
      .nullable()
      .describe('What stood at this run date before.'),
    totals: z.object({
      organizations: count,
      users: count,
      files: count,
      bytes: count,
      pages: count,
      duplicates: count,
      surrogates_repaired: count,
      gone: count,
      failed: count,
    }),
    organizations: walkEvidence
      .extend({ files: z.array(fileEntry) })
      .describe('The walk through the list of organisations.'),
    users: z
      .object({ files: z.array(fileEntry) })
      .default({ files: [] })
      .describe('In the layout per-date: the files that hold the users of all organisations.'),
    compaction: z
      .object({
        run_id: z
          .string()
          .describe('Of the compaction; run_id above stays that of the run that read the API.'),
        started_at: instant,
        connector,
        layout: z.enum(layouts).describe('The layout before.'),
        manifest_sha256: sha256.describe('Of the manifest before.'),
      })
      .nullable()
      .default(null)
      .describe(
        'Set when the files were laid out anew after they had been published: the rows are the same.',
      ),
    pruned: z
      .object({
        at: instant,
        status: z.enum(['publishing', 'complete', 'incomplete']),
        manifest_sha256: sha256,
      })
      .nullable()
      .default(null)
      .describe('When the files were removed, and the status and the manifest before.'),
    slices: z
      .array(slice)
      .describe('One entry for each organisation whose users were asked for, in the order served.'),
  })
  .meta({ title: 'Manifest of a snapshot', description: 'Written last, to _runs/run_date=D/manifest.json.' });
export type Manifest = z.infer<typeof manifestSchema>;

/** Every data file that a manifest lists, with its table. */
export function manifestFiles({ organizations, users, slices }: Manifest): (FileEntry & { table: string })[] {
  const listOf = (table: string, files: readonly FileEntry[]) => files.map((file) => ({ ...file, table }));
  const ofUsers = [...users.files, ...slices.flatMap(({ files }) => files)];
  return [...listOf('organizations', organizations.files), ...listOf('users', ofUsers)];
}

/** Which run put the files where they lie: the one that read them, or a compaction since. */
export const publisherOf = ({ run_id, compaction }: Manifest): string => compaction?.run_id ?? run_id;

/** How a snapshot stands when all of it is in place. */
export const statusWhenPublished = ({ totals }: Manifest): 'complete' | 'incomplete' =>
  totals.failed > 0 ? 'incomplete' : 'complete';

/** The files of one table, relative to its date folder. */
export function tableFiles(manifest: Manifest, table: string): string[] {
  const folder = `${dateFolder(table, manifest.run_date)}/`;
  return manifestFiles(manifest)
    .filter((file) => file.table === table)
    .map((file) => file.path.slice(folder.length));
}

/** Whether a scope is everything: only such a snapshot can be the newest. */
export const isFull = ({ streams, organizations }: Scope): boolean =>
  organizations === 'all' && streams.includes('organizations') && streams.includes('users');

/** Whether what `scope` reads includes all that `other` read. */
export const covers = (scope: Scope, other: Scope): boolean =>
  other.streams.every((stream) => scope.streams.includes(stream)) &&
  (scope.organizations === 'all' ||
    (other.organizations !== 'all' &&
      other.organizations.every((uuid) => scope.organizations.includes(uuid))));
