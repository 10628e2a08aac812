import { ConfigError, RefusedError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { readDataset } from './dataset.js';
import { type Log, readLog, runDatesOf } from './log.js';

/**
 * The log of a root that something was published in: a wrong place must not look like one in which all is in order.
 * @throws ConfigError `snapshot_missing`, `root_of_other_version`
 */
export async function existingLog(storage: Storage, runDate?: string): Promise<Log> {
  await readDataset(storage);
  const log = await readLog(storage);
  const known = runDatesOf(log);
  if (runDate === undefined ? known.length > 0 : known.includes(runDate)) return log;
  throw new ConfigError(
    `There is no snapshot${runDate === undefined ? '' : ` of ${runDate}`} in ${storage.location}. Is it the folder that dump wrote to? A dump of several formats has one for each below it.`,
    { code: 'snapshot_missing' },
  );
}

/** What to throw when the files of a snapshot are needed, and were removed. */
export const snapshotPruned = (runDate: string): RefusedError =>
  new RefusedError(`The snapshot of ${runDate} was pruned: it has no files.`, 'snapshot_pruned');
