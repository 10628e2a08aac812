import type { Storage } from '../storage/storage.js';
import { existingLog, snapshotPruned } from './existing-log.js';
import { checkLog, runDatesOf } from './log.js';
import type { Manifest } from './manifest.js';
import { newestWith, readCurrent } from './manifest-file.js';

/**
 * The manifest of a snapshot that has its files; by default the newest.
 * @throws ConfigError `snapshot_missing`; RefusedError `snapshot_pruned`; StorageError
 */
export async function chooseSnapshot(storage: Storage, runDate: string | undefined): Promise<Manifest> {
  const log = await existingLog(storage, runDate);
  checkLog(log, storage);
  const [newest = ''] = runDatesOf(log);
  const manifest =
    runDate === undefined
      ? await newestWith({ storage, log, streams: [] })
      : (await readCurrent(storage, log, runDate))?.manifest;
  if (!manifest || manifest.status === 'pruned') throw snapshotPruned(runDate ?? newest);
  return manifest;
}
