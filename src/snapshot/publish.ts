import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { streams } from '../extract/index.js';
import type { Storage } from '../storage/storage.js';
import { claimDataset } from './dataset.js';
import { standing } from './guard.js';
import { type Lock, LockedError } from './lock.js';
import { appendLog } from './log.js';
import { type Manifest, publisherOf, statusWhenPublished, tableFiles } from './manifest.js';
import { manifestSha256, readManifest, writeManifest } from './manifest-file.js';
import { dateFolder } from './partition.js';
import { dropUnlisted, type Staging } from './staging.js';

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
  if (isSame(existing, publication.manifest) && existing.status !== 'publishing') {
    await log(storage, existing, await manifestSha256(storage, runDate));
    return existing;
  }

  const manifest: Manifest = {
    ...publication.manifest,
    lock: lock?.number ?? null,
    replaces: publication.manifest.compaction ? publication.manifest.replaces : standing(existing),
  };
  await claimDataset(storage, manifest.format);
  const proceed = whileAwake(publication);
  await lock?.check();
  await writeManifest(storage, { ...manifest, status: 'publishing' });
  for (const table of tables) {
    const folder = `${manifest.format}/${table}`;
    const files = tableFiles(manifest, table);
    await dropUnlisted(staging, folder, files);
    const staged = { path: join(staging.folder, folder), files, proceed };
    await storage.replaceFolder(dateFolder(table, runDate), staged);
  }
  await lock?.check();
  const marked = await readManifest(storage, runDate);
  if (!isSame(marked, manifest) || marked.lock !== manifest.lock) {
    throw new LockedError(
      `Another run published ${runDate} in ${storage.location} meanwhile; this one leaves it alone.`,
    );
  }
  const published: Manifest = {
    ...manifest,
    status: statusWhenPublished(manifest),
    published_at: new Date(clock.now()).toISOString(),
  };
  const { sha256 } = await writeManifest(storage, published);
  await log(storage, published, sha256);
  return published;
}

const isSame = (found: Manifest | undefined, ours: Manifest): found is Manifest =>
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

async function log(storage: Storage, manifest: Manifest, sha256: string): Promise<void> {
  await appendLog(storage, {
    at: manifest.published_at ?? manifest.extracted_at,
    action: manifest.compaction ? 'compact' : 'publish',
    run_id: manifest.run_id,
    run_date: manifest.run_date,
    status: statusWhenPublished(manifest),
    manifest_sha256: sha256,
  });
}
