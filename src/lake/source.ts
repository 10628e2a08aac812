import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Storage } from '../storage/storage.js';
import { chooseSnapshot } from './choose-snapshot.js';
import { existingLog, snapshotPruned } from './existing-log.js';
import type { PublishedSnapshot } from './file-rows.js';
import type { Log } from './log.js';
import { readCurrent } from './manifest-file.js';
import { pseudonymsRead } from './pseudonyms-read.js';

export interface SourceChoice {
  storage: Storage;
  /** Default: the newest day that has its files. */
  runDate?: string | undefined;
  /** Replaces what names a person, where the snapshot does not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
}

/** A snapshot that has its files, by one state of the log. */
export interface Source extends PublishedSnapshot {
  log: Log;
}

/** @throws ConfigError `snapshot_missing`, `pseudonyms_differ`; RefusedError `snapshot_pruned`; StorageError */
export async function sourceOf({ storage, runDate, pseudonyms }: SourceChoice): Promise<Source> {
  const { run_date } = await chooseSnapshot(storage, runDate);
  const log = await existingLog(storage, run_date);
  const manifest = (await readCurrent(storage, log, run_date))?.manifest;
  if (!manifest || manifest.status === 'pruned') throw snapshotPruned(run_date);
  const source = { storage, manifest, log, pseudonyms };
  pseudonymsRead(source); // before anything is written
  return source;
}
