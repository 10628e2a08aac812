import { type Clock, systemClock } from '../clock.js';
import { ConfigError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { existingLog, snapshotPruned } from './existing-log.js';
import { checkLog } from './log.js';
import type { Manifest } from './manifest.js';
import { newestWith, readCurrent } from './manifest-file.js';
import { newestDates } from './newest-dates.js';

/**
 * The manifest of a snapshot that has its files; by default the newest.
 * @throws ConfigError `snapshot_missing`; RefusedError `snapshot_pruned`; StorageError
 */
export async function chooseSnapshot(
  storage: Storage,
  runDate: string | undefined,
  clock: Clock = systemClock,
): Promise<Manifest> {
  const log = await existingLog(storage, runDate);
  checkLog(log, storage);
  const [newest] = newestDates(log, clock);
  const chosen = runDate ?? newest;
  if (chosen === undefined) throw onlyLater(storage);
  const manifest =
    runDate === undefined
      ? await newestWith({ storage, log, streams: [], clock })
      : (await readCurrent(storage, log, runDate))?.manifest;
  if (!manifest || manifest.status === 'pruned') throw snapshotPruned(chosen);
  return manifest;
}

const onlyLater = ({ location }: Storage): ConfigError =>
  new ConfigError(
    `Every snapshot in ${location} is dated later than today. Was a clock wrong? Name the day of one of them.`,
    { code: 'snapshot_missing' },
  );
