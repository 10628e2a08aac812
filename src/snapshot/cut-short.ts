import type { Clock } from '../clock.js';
import { StorageError } from '../errors.js';
import { usersSchema } from '../schema.js';
import { once, type Storage } from '../storage/storage.js';
import { unlistedUsers } from './compactable.js';
import { RefusedError } from './guard.js';
import { readText, sha256Of } from './json-file.js';
import { listStagings } from './left-runs.js';
import { checkedBytes, drain } from './listed-file.js';
import type { Lock } from './lock.js';
import { isLogged, readLog } from './log.js';
import { type Manifest, manifestFiles, manifestSchema, publisherOf } from './manifest.js';
import { manifestSha256 } from './manifest-file.js';
import { manifestBeforeKey, manifestKey } from './partition.js';
import { conclude, type Publication, publish, tellLog } from './publish.js';
import { dropRuns } from './resume.js';
import { Staging } from './staging.js';

/** What a compaction works with. */
export interface CompactionRun {
  storage: Storage;
  /** The folder of the stagings. */
  parent: string;
  signal: AbortSignal | undefined;
  clock: Clock;
}

/** Publishes what a compaction has staged, and drops its staging. */
export async function putInPlace(
  manifest: Manifest,
  { lock, staging }: Pick<Publication, 'lock' | 'staging'>,
  { storage, parent, signal, clock }: CompactionRun,
): Promise<Manifest> {
  const publication = { storage, staging, manifest, lock, signal, clock, tables: [usersSchema.name] };
  const published = await publish(publication);
  const { run_id } = staging.header;
  await dropRuns(parent, staging.header, (left) => left.is_compaction || left.run_id === run_id);
  return published;
}

/**
 * Ends what was cut short at a run date, before anything else is done to it: from the staging of whoever put the files in
 * place, or, where that is lost, by the files themselves. On a bucket the new ones are written before the old ones go,
 * so that one of the two is whole.
 * @returns the manifest that stands then
 * @throws RefusedError `publication_cut_short`
 */
export async function endCutShort(
  manifest: Manifest,
  lock: Lock | undefined,
  run: CompactionRun,
): Promise<Manifest> {
  const isPublishing = manifest.status === 'publishing';
  const left = (await listStagings(run.parent)).find(({ run_id }) => run_id === publisherOf(manifest));
  const isDump = manifest.compaction === null;
  if (isPublishing && isDump) throw cutShort(manifest);
  // Of a dump just the entry in the log may be missing. It may have more to publish, elsewhere.
  if (left && !(isDump && left.roots.length > 1)) {
    const staging = await Staging.open(run.parent, left);
    try {
      const published = await putInPlace(manifest, { lock, staging }, run);
      return isPublishing ? published : manifest;
    } finally {
      await staging.close();
    }
  }
  if (isPublishing) return await withoutStaging(manifest, run);
  await logWithoutStaging(manifest, run.storage);
  return manifest;
}

async function withoutStaging(manifest: Manifest, { storage, clock }: CompactionRun): Promise<Manifest> {
  const { run_date: runDate, compaction } = manifest;
  const text = await readText(storage, manifestBeforeKey(runDate, compaction?.run_id ?? ''));
  const isKept = text !== undefined && sha256Of(text) === compaction?.manifest_sha256;
  const before = isKept ? manifestSchema.parse(JSON.parse(text)) : undefined;
  if (before && (await isInPlace(before, storage))) {
    await removeUnlisted(before, storage); // first: a manifest that says `complete` has nothing beside its files
    await storage.write(manifestKey(runDate), once(new TextEncoder().encode(text)));
    return before;
  }
  if (!(await isInPlace(manifest, storage))) throw cutShort(manifest);
  await removeUnlisted(manifest, storage);
  return await conclude(storage, manifest, clock);
}

/** A compaction of what the log told of last has ended without its entry; no staging is left that would add it. */
async function logWithoutStaging(manifest: Manifest, storage: Storage): Promise<void> {
  const { run_date: runDate, compaction } = manifest;
  if (!compaction || !isLogged(await readLog(storage), runDate, compaction.manifest_sha256)) return;
  await tellLog(storage, manifest, await manifestSha256(storage, runDate));
}

/** Whether every file that a manifest lists lies there, as it was written. */
async function isInPlace(manifest: Manifest, storage: Storage): Promise<boolean> {
  try {
    for (const file of manifestFiles(manifest))
      await drain(checkedBytes(storage.read(file.path), file, file.path));
    return true;
  } catch (error) {
    if (error instanceof StorageError && ['not_found', 'file_differs'].includes(error.code)) return false;
    throw error;
  }
}

async function removeUnlisted(manifest: Manifest, storage: Storage): Promise<void> {
  for (const key of await unlistedUsers(manifest, storage)) await storage.remove(key);
}

function cutShort({ run_date, compaction }: Manifest): RefusedError {
  const what = compaction ? 'compaction' : 'dump';
  return new RefusedError(
    `A ${what} of ${run_date} was cut short while it put its files in place, so they may be mixed. Run that ${what} again, where it ran and with the same --state; it goes on.`,
    'publication_cut_short',
  );
}
