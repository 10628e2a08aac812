import { z } from 'zod';
import { StorageError } from '../errors.js';
import { once, type Storage, type Written } from '../storage/storage.js';
import { jsonBytes, readText } from './json-file.js';
import { dateFolder, manifestKey } from './partition.js';

const count = z.int().min(0);
const instant = z.iso.datetime({ precision: 3 });

/** One data file, named relative to the root. */
const fileEntry = z.object({
  path: z.string(),
  rows: count,
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
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

/** The truth about one run date. Readers trust the files it lists when `status` is `complete`. */
export const manifestSchema = z
  .object({
    manifest_version: z.literal(1),
    status: z
      .enum(['publishing', 'complete', 'incomplete'])
      .describe(
        'publishing: the data is being put in place, a bare glob may see a mix. incomplete: an organisation failed.',
      ),
    run_id: z.string(),
    run_date: z.iso.date(),
    started_at: instant,
    extracted_at: instant.describe('When the last page had been read.'),
    published_at: instant.nullable().describe('Null while publishing.'),
    connector: z.object({ name: z.string(), version: z.string(), node: z.string() }),
    format: z.string(),
    layout: z.literal('per-org'),
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
    slices: z
      .array(slice)
      .describe('One entry for each organisation whose users were asked for, in the order served.'),
  })
  .meta({ title: 'Manifest of a snapshot', description: 'Written last, to _runs/run_date=D/manifest.json.' });
export type Manifest = z.infer<typeof manifestSchema>;

/** Every data file that a manifest lists, with its table. */
export function manifestFiles(
  manifest: Manifest,
): (FileEntry & { table: string; organizationUuid?: string })[] {
  return [
    ...manifest.organizations.files.map((file) => ({ ...file, table: 'organizations' })),
    ...manifest.slices.flatMap(({ files, organization_uuid }) =>
      files.map((file) => ({ ...file, table: 'users', organizationUuid: organization_uuid })),
    ),
  ];
}

/** The files of one table, relative to its date folder. */
export function tableFiles(manifest: Manifest, table: string): string[] {
  const folder = `${dateFolder(table, manifest.run_date)}/`;
  return manifestFiles(manifest)
    .filter((file) => file.table === table)
    .map((file) => file.path.slice(folder.length));
}

/**
 * The manifest of a run date; undefined when there is none.
 * @throws StorageError `manifest_invalid`
 */
export async function readManifest(storage: Storage, runDate: string): Promise<Manifest | undefined> {
  const text = await readText(storage, manifestKey(runDate));
  return text === undefined ? undefined : parseManifest(text, `${storage.location}/${manifestKey(runDate)}`);
}

function parseManifest(text: string, where: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StorageError(
      `${where} is not a manifest that this version can read. Was it written by a newer one, or changed by hand?`,
      { code: 'manifest_invalid', cause },
    );
  }
}

export async function writeManifest(storage: Storage, manifest: Manifest): Promise<Written> {
  return await storage.write(manifestKey(manifest.run_date), once(jsonBytes(manifest, 2)));
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

/** The run dates that have a manifest, newest first. */
export async function listRunDates(storage: Storage): Promise<string[]> {
  const dates: string[] = [];
  for await (const { key } of storage.list('_runs')) {
    const date = /^_runs\/run_date=(\d{4}-\d{2}-\d{2})\/manifest\.json$/.exec(key)?.[1];
    if (date !== undefined) dates.push(date);
  }
  return dates.sort().reverse();
}

/** The newest snapshot that is complete and full, of the dates that `accept` lets through. */
export async function newestSnapshot(
  storage: Storage,
  accept: (runDate: string) => boolean = () => true,
): Promise<Manifest | undefined> {
  for (const runDate of (await listRunDates(storage)).filter(accept)) {
    const manifest = await readManifest(storage, runDate);
    if (manifest?.status === 'complete' && isFull(manifest.scope)) return manifest;
  }
  return undefined;
}
