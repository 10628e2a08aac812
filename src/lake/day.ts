import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { LockedError, StorageError } from '../errors.js';
import { STAGING } from '../storage/own-folders.js';
import { checkFolders } from '../storage/same-disk.js';
import type { FinishedFile, Storage } from '../storage/storage.js';
import { sweepTemporaries } from '../storage/temporary.js';
import { abandon, commit, type ExpectedHead, isConflict } from './commit.js';
import { acquireLease, deadLeases, type Lease, type LeaseRequest } from './lease.js';
import { headOf, type Log, readLog } from './log.js';
import type { Manifest } from './manifest.js';
import { isManifestError, type StoredManifest } from './manifest-file.js';
import { type Settled, settle, tablesOf } from './settle.js';

/** One run date of one root, as it was when its lease was taken: what every change to it begins with. */
export interface Day {
  readonly storage: Storage;
  readonly runDate: string;
  /** Of who changes it. */
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined when nothing was published. */
  readonly current: StoredManifest | undefined;
  readonly expected: ExpectedHead;
  readonly lease: Pick<Lease, 'keep'>;
}

export interface DayRequest extends LeaseRequest {
  /** What was read of the log before. */
  log?: Log;
  /** Whether a day whose manifest cannot be read may be replaced, as if nothing had been published. */
  replacesUnreadable?: boolean;
}

/**
 * Works on a run date while holding its lease. What a dead run left there, and at other run dates, is brought in order
 * first.
 * @param work its signal aborts with the caller's, and when the lease is lost
 * @throws LockedError, StorageError, and what the work throws
 */
export async function withDay<T>(
  request: DayRequest,
  work: (day: Day, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { storage } = request;
  await storage.probe?.();
  if (storage.localRoot !== undefined) await checkFolders(storage.localRoot, tablesOf(undefined));
  await tidyDays(request, request.runDate);
  return await leased(request, work);
}

/**
 * Brings the run dates of dead runs in order, and removes their unfinished files. Whoever is faster may do it instead,
 * and what is wrong with such a day is reported to whoever works on it.
 */
export async function tidyDays(request: Omit<DayRequest, 'runDate'>, except?: string): Promise<void> {
  const { localRoot } = request.storage;
  if (localRoot !== undefined) await sweepTemporaries(join(localRoot, STAGING));
  for (const runDate of await deadLeases(request)) {
    if (runDate === except) continue;
    await leased({ ...request, runDate }, async () => {}).catch((error: unknown) => {
      if (!(error instanceof LockedError || error instanceof StorageError)) throw error;
    });
  }
}

async function leased<T>(
  request: DayRequest,
  work: (day: Day, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { storage, runDate, runId, clock, signal } = request;
  const lease = await acquireLease(request);
  try {
    const { log, current } = await takeOver(request, lease);
    const day: Day = {
      storage,
      runDate,
      runId,
      clock,
      log,
      current,
      expected: headOf(log, runDate)?.seq ?? 0,
      lease,
    };
    return await work(day, signal ? AbortSignal.any([signal, lease.lost]) : lease.lost);
  } catch (error) {
    // A run that stood still may fail before it learns why.
    await lease.confirm().catch(() => undefined);
    throw lease.lost.aborted ? lease.lost.reason : error;
  } finally {
    await lease.release().catch(() => undefined); // one that cannot be released expires by itself
  }
}

/** Brings the day in order. Where a dead run has left its lease, one stays there until that is done. */
async function takeOver(request: DayRequest, lease: Lease): Promise<Settled> {
  const { storage, runDate, runId, clock, log = [] } = request;
  const bringInOrder = async (): Promise<Settled> => {
    for (const deadRun of lease.deadRuns) await abandon({ storage, runDate, deadRun, runId, log, clock });
    lease.forgetDeadRuns();
    return await settle({ storage, runDate, clock, log, newHolder: runId });
  };
  try {
    return lease.deadRuns.length > 0 ? await orKeep(lease, bringInOrder) : await bringInOrder();
  } catch (error) {
    if (!request.replacesUnreadable || !isManifestError(error)) throw error;
    return { log: await readLog(storage, log), current: undefined };
  }
}

/** What fails here is repaired by whoever takes over the lease. */
async function orKeep<T>(lease: Pick<Lease, 'keep'>, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    lease.keep();
    throw error;
  }
}

/** What a new manifest of a day replaces. */
export const replacedBy = ({ current }: Pick<Day, 'current'>): Manifest['replaces'] =>
  current ? { run_id: current.manifest.written.run_id, manifest_sha256: current.sha256 } : null;

/**
 * Publishes a manifest: its files are put into the root, then the log says that it is current, then what it replaces is
 * removed. A file whose bytes are not those that the manifest names is never published.
 * @returns the log, with the new entry
 * @throws LockedError `commit_conflict`, StorageError
 */
export async function publish(
  day: Day,
  manifest: Manifest,
  files: readonly FinishedFile[] = [],
  signal?: AbortSignal,
): Promise<Log> {
  const { storage, expected, clock, lease, log } = day;
  let mayBeCommitted = false;
  try {
    await storage.put(files, signal);
    signal?.throwIfAborted();
    mayBeCommitted = true;
    await commit({ storage, manifest, expected, log, clock });
  } catch (error) {
    const isUnknown = mayBeCommitted && !isConflict(error);
    await orKeep(lease, () => withdraw(day, isUnknown)).catch(() => undefined);
    throw error;
  }
  return (await orKeep(lease, () => settle(day))).log;
}

/**
 * Removes what a publication that failed has put into the root; nobody can have seen it as a part of the snapshot.
 * @param mayBeCommitted the answer to the commit was lost: it must be made impossible first
 */
async function withdraw(day: Day, mayBeCommitted: boolean): Promise<void> {
  const { runId } = day;
  if (mayBeCommitted) await abandon({ ...day, deadRun: runId });
  await settle({ ...day, ...(!mayBeCommitted && { rejectedRun: runId }) });
}
