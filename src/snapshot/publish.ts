import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { streams } from '../extract/index.js';
import type { Storage } from '../storage/storage.js';
import { claimDataset } from './dataset.js';
import { RefusedError, standing } from './guard.js';
import { type Lock, LockedError } from './lock.js';
import { appendLog } from './log.js';
import { type Manifest, publisherOf, statusWhenPublished, tableFiles } from './manifest.js';
import { manifestSha256, readManifest, writeManifest } from './manifest-file.js';
import { dateFolder } from './partition.js';
import { checkStaged, dropUnlisted, stagedFolder } from './staged-files.js';
import type { Staging } from './staging.js';

export interface Publication {
  storage: Storage;
  staging: Staging;
  /** What is to be published, as it will be but for status, lock, `published_at` and, of a dump, `replaces`. */
  manifest: Manifest;
  /** Those whose files change. Default: all. */
  tables?: readonly string[];
  /** Undefined where the storage has no locks. */
  lock: Lock | undefined;
  signal: AbortSignal | undefined;
  clock: Clock;
}

/**
 * Puts a staged snapshot, which the guard has let through, where its readers look. The manifest says `publishing` while the data is put in place and
 * tells the truth again last; a run that is killed in between goes on here, step by step, and ends the same.
 * @throws LockedError, StorageError
 */
export async function publish(publication: Publication): Promise<Manifest> {
  const { storage, staging, lock, clock, tables = streams.map(({ schema }) => schema.name) } = publication;
  const runDate = publication.manifest.run_date;
  await lock?.check();
  const existing = await readManifest(storage, runDate);
  if (existing && isPublished(existing, publication.manifest)) {
    await tellLog(storage, existing, await manifestSha256(storage, runDate));
    return existing;
  }
  await checkExpected(existing, publication);

  const manifest: Manifest = {
    ...publication.manifest,
    lock: lock?.number ?? null,
    published_at: null,
    replaces: publication.manifest.compaction ? publication.manifest.replaces : standing(existing),
  };
  if (!isSame(existing, manifest)) await checkStaged(staging, manifest, tables);
  await claimDataset(storage, manifest.format);
  const proceed = whileAwake(publication);
  await lock?.check();
  await writeManifest(storage, { ...manifest, status: 'publishing' });
  for (const table of tables) {
    const folder = stagedFolder(manifest, table);
    const files = tableFiles(manifest, table);
    await dropUnlisted(staging, folder, files);
    const staged = { path: join(staging.folder, folder), files, proceed };
    await storage.replaceFolder(dateFolder(table, runDate), staged);
  }
  await lock?.check();
  const marked = await readManifest(storage, runDate);
  if (!isSame(marked, manifest) || marked?.lock !== manifest.lock) {
    throw new LockedError(
      `Another run published ${runDate} in ${storage.location} meanwhile; this one leaves it alone.`,
    );
  }
  return await conclude(storage, manifest, clock);
}

/** All of it is in place: the manifest tells the truth again, and the log tells of it. */
export async function conclude(storage: Storage, manifest: Manifest, clock: Clock): Promise<Manifest> {
  const published: Manifest = {
    ...manifest,
    status: statusWhenPublished(manifest),
    published_at: new Date(clock.now()).toISOString(),
  };
  const { sha256 } = await writeManifest(storage, published);
  await tellLog(storage, published, sha256);
  return published;
}

/** Whether just the log may be missing. What a dump has published may have been laid out anew since. */
const isPublished = (existing: Manifest, { run_id, compaction }: Manifest): boolean =>
  existing.status !== 'publishing' &&
  (compaction ? publisherOf(existing) === compaction.run_id : existing.run_id === run_id);

/**
 * Nobody else may have changed what this publication was made for.
 * @throws LockedError; RefusedError `publication_cut_short`
 */
async function checkExpected(
  existing: Manifest | undefined,
  { storage, manifest }: Publication,
): Promise<void> {
  if (isSame(existing, manifest)) return;
  if (manifest.compaction) {
    if ((await manifestSha256(storage, manifest.run_date)) === manifest.compaction.manifest_sha256) return;
    throw new LockedError(
      `Another run published ${manifest.run_date} in ${storage.location} meanwhile; its files are left as they are.`,
    );
  }
  if (existing?.run_id === manifest.run_id) {
    throw new RefusedError(
      `This run published ${manifest.run_date} before, and a compaction of it was cut short since. Nothing was changed: run compact again, it goes on.`,
      'publication_cut_short',
    );
  }
}

const isSame = (found: Manifest | undefined, ours: Manifest): boolean =>
  found !== undefined && publisherOf(found) === publisherOf(ours);

/** After so long without a look at the lock another run may hold it, and have published. In milliseconds. */
const LOOK_AGAIN_AFTER = 5_000;

/**
 * Lets each step of a publication pass but after an abort, and after a sleep in which the lock was lost: what comes next
 * would go over the successor's data. By the wall clock, since the other one stands still while a machine is suspended.
 */
function whileAwake({ lock, signal, clock }: Publication): () => Promise<void> {
  let lookedAt = clock.now();
  return async () => {
    signal?.throwIfAborted();
    if (Math.abs(clock.now() - lookedAt) < LOOK_AGAIN_AFTER) return;
    const lookingAt = clock.now();
    await lock?.check();
    lookedAt = lookingAt;
  };
}

/** The log tells of a manifest, once. */
export async function tellLog(storage: Storage, manifest: Manifest, sha256: string): Promise<void> {
  await appendLog(storage, {
    at: manifest.published_at ?? manifest.extracted_at,
    action: manifest.compaction ? 'compact' : 'publish',
    run_id: manifest.run_id,
    run_date: manifest.run_date,
    status: statusWhenPublished(manifest),
    manifest_sha256: sha256,
  });
}
