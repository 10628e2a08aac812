import type { Clock } from '../clock.js';
import { LockedError, StorageError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { jsonBytes, sha256Of } from './json-file.js';
import {
  appendEntry,
  checkLog,
  headOf,
  isAbandoned,
  type Log,
  type LogEntry,
  logDamaged,
  readLog,
} from './log.js';
import type { Manifest } from './manifest.js';
import { manifestKey } from './paths.js';

/** What a commit was prepared for: the last log entry about the run date; 0 when there was none. */
export type ExpectedHead = number;

interface Commit {
  storage: Storage;
  manifest: Manifest;
  expected: ExpectedHead;
  /** What was read of the log before. */
  log?: Log;
  clock: Clock;
}

/** One entry that replaces the current one of its run date. */
type NewEntry = Omit<LogEntry, 'seq' | 'previous_sha256'>;

/**
 * Makes a manifest the current one of its run date: before the log entry nothing of it is visible, after it everything
 * is. Every file that it names must be in place.
 * @throws LockedError `commit_conflict` when another run changed the run date meanwhile: nothing was changed
 */
export async function commit({ storage, manifest, expected, log = [], clock }: Commit): Promise<void> {
  const { run_date, written, replaces } = manifest;
  const bytes = jsonBytes(manifest, 2);
  const key = manifestKey(run_date, written.run_id);
  if (!(await storage.create(key, bytes))) {
    throw new StorageError(`${storage.location}/${key} exists already. Run the same command again.`, {
      code: 'name_taken',
    });
  }
  const entry: NewEntry = {
    at: new Date(clock.now()).toISOString(),
    action: written.action,
    run_date,
    run_id: written.run_id,
    manifest_sha256: sha256Of(Buffer.from(bytes).toString('utf8')),
    replaces: replaces?.run_id ?? null,
  };
  await append({ storage, log, entry }, (log) => {
    // An earlier attempt, whose answer was lost, got through.
    if (log.some((stored) => stored.entry?.run_id === entry.run_id && stored.entry.manifest_sha256))
      return false;
    const isChanged = (headOf(log, run_date)?.seq ?? 0) !== expected;
    // A run that slept before it read the head may expect the entry by which it was abandoned itself.
    if (isChanged || isAbandoned(log, run_date, entry.run_id)) throw conflict(storage, run_date);
    return true;
  });
}

interface Abandon {
  storage: Storage;
  runDate: string;
  /** The run that is dead, or believed so. */
  deadRun: string;
  /** Of whoever abandons it. */
  runId: string;
  /** What was read of the log before. */
  log?: Log;
  clock: Clock;
}

/**
 * Makes sure that a run can never be published: the head of its day moves, so that its commit fails even if it was
 * merely asleep. Only then may its files be removed. A run that has committed is left as it is.
 * @throws LockedError `commit_conflict` when the run that abandons it was abandoned itself meanwhile
 */
export async function abandon({ storage, runDate, deadRun, runId, log = [], clock }: Abandon): Promise<void> {
  const entry: NewEntry = {
    at: new Date(clock.now()).toISOString(),
    action: 'abandon',
    run_date: runDate,
    run_id: runId,
    manifest_sha256: null,
    replaces: deadRun,
  };
  await append({ storage, log, entry }, (log) => {
    const isCommitted = log.some(({ entry }) => entry?.run_id === deadRun && entry.manifest_sha256 !== null);
    if (isCommitted || isAbandoned(log, runDate, deadRun)) return false;
    if (isAbandoned(log, runDate, runId)) throw conflict(storage, runDate);
    return true;
  });
}

interface Append {
  storage: Storage;
  log: Log;
  entry: NewEntry;
}

/** Adds an entry, as long as the log, read again before each attempt, says that it is still right. */
async function append({ storage, log: known, entry }: Append, isRight: (log: Log) => boolean): Promise<void> {
  for (let log = known, tried = 0; ; ) {
    log = await readLog(storage, log);
    checkLog(log, storage);
    // What took the place of the last attempt is no entry that can be listed: a link, or a folder.
    if (tried > log.length) throw logDamaged(storage, tried);
    if (!isRight(log) || (await appendEntry(storage, log, entry))) return;
    tried = log.length + 1;
  }
}

export const isConflict = (error: unknown): boolean =>
  error instanceof LockedError && error.code === 'commit_conflict';

const conflict = (storage: Storage, runDate: string): LockedError =>
  new LockedError(
    `Another run changed ${runDate} in ${storage.location} meanwhile, so this one did not. Run the same command again.`,
    'commit_conflict',
  );
