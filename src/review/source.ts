import { type Diff, diffSnapshots } from '../diff/diff-snapshots.js';
import { ConfigError, LockedError } from '../errors.js';
import { chooseSnapshot } from '../lake/choose-snapshot.js';
import { existingLog, snapshotPruned } from '../lake/existing-log.js';
import type { PublishedSnapshot } from '../lake/file-rows.js';
import type { Log } from '../lake/log.js';
import { readCurrent } from '../lake/manifest-file.js';
import { pseudonymsRead } from '../lake/pseudonyms-read.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Storage } from '../storage/storage.js';

export interface SourceRequest {
  storage: Storage;
  /** Default: the newest day that has its files. */
  runDate?: string | undefined;
  /** Default: the complete snapshot before, if there is one. */
  since?: string | undefined;
  /** Replaces what names a person, where the snapshots do not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
  /** A folder for temporary files. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** The snapshot of a review, by one state of the log. */
export interface Source extends PublishedSnapshot {
  log: Log;
}

/** @throws ConfigError `snapshot_missing`, `pseudonyms_differ`; RefusedError `snapshot_pruned`; StorageError */
export async function sourceOf({
  storage,
  runDate,
  pseudonyms,
}: Pick<SourceRequest, 'storage' | 'runDate' | 'pseudonyms'>): Promise<Source> {
  const { run_date } = await chooseSnapshot(storage, runDate);
  const log = await existingLog(storage, run_date);
  const manifest = (await readCurrent(storage, log, run_date))?.manifest;
  if (!manifest || manifest.status === 'pruned') throw snapshotPruned(run_date);
  const source = { storage, manifest, log, pseudonyms };
  pseudonymsRead(source); // before anything is written
  return source;
}

/** What changed until a snapshot; undefined when no day was named and there is no complete one before. */
export async function changesUntil(
  { storage, manifest, pseudonyms }: Source,
  { since, scratch, signal }: Pick<SourceRequest, 'since' | 'scratch' | 'signal'>,
): Promise<Diff | undefined> {
  const days = { from: since, to: manifest.run_date };
  try {
    const diff = await diffSnapshots({ storage, ...days, pseudonyms, scratch, signal });
    if (diff.to.written.run_id === manifest.written.run_id) return diff;
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'snapshots_too_few') return undefined;
    throw error;
  }
  throw new LockedError(
    `The snapshot of ${manifest.run_date} was replaced meanwhile. Run the same command again.`,
  );
}
