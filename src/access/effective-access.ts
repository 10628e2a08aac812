import type { Clock } from '../clock.js';
import { chooseSnapshot } from '../lake/choose-snapshot.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import { Partitions } from '../storage/partitions.js';
import { openScratch } from '../storage/scratch.js';
import type { Storage } from '../storage/storage.js';
import { accessRows } from './access-rows.js';
import type { AccessRow } from './schema.js';
import { directoryOf } from './snapshot-directory.js';

export interface EffectiveAccessOptions {
  /** A root that dump wrote to. */
  storage: Storage;
  /** The day of the snapshot. Default: the newest that was not pruned. */
  runDate?: string | undefined;
  /** Replaces what names a person, where the snapshot does not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
  /**
   * A local folder for temporary files: users and group members, about 100 bytes for each. They are below `tmp` in it, for
   * their owner only, and removed at the end, also after an error.
   */
  scratch: string;
  signal?: AbortSignal | undefined;
  /** Whose today is the last day that may be the newest. Default: the machine's. */
  clock?: Clock | undefined;
}

/**
 * Who may do what, by one published snapshot: batches of the rows of `effectiveAccessSchema`, as a sink takes them. What was
 * not read is a row with the status `unknown`, never a missing row. The same snapshot gives the same rows in the same
 * order, whatever its format and layout. Memory does not grow with the number of users and of group members: the ten thousand
 * groups, and the roles that they give, are held.
 * @throws ConfigError `snapshot_missing`, `pseudonyms_differ`; RefusedError `snapshot_pruned`; StorageError `file_differs`; SinkError; the signal's reason
 */
export async function* effectiveAccess({
  storage,
  runDate,
  pseudonyms,
  scratch,
  signal,
  clock,
}: EffectiveAccessOptions): AsyncGenerator<readonly AccessRow[], void, void> {
  signal?.throwIfAborted();
  const directory = directoryOf({
    storage,
    manifest: await chooseSnapshot(storage, runDate, clock),
    pseudonyms,
  });
  const folder = await openScratch(scratch);
  try {
    yield* accessRows({ directory, partitions: new Partitions(folder.path), signal });
  } finally {
    await folder.remove();
  }
}
