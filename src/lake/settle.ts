import type { Clock } from '../clock.js';
import { forEachConcurrently } from '../concurrency.js';
import { once, type Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import { abandon } from './commit.js';
import { readText } from './json-file.js';
import { checkLog, headOf, type Log, readLog } from './log.js';
import { type Manifest, manifestFiles } from './manifest.js';
import { readCurrent, type StoredManifest } from './manifest-file.js';
import { currentManifestKey, dateFolder, parseManifestKey, runFolder, runOfPart } from './paths.js';

export interface SettleRequest {
  storage: Storage;
  runDate: string;
  clock: Clock;
  /** What was read of the log before. */
  log?: Log;
  /** A run that is known never to be published: its files are removed. */
  rejectedRun?: string;
  /**
   * The run that has just taken the lease. Other runs that have left files here, and have not committed, have lost it:
   * they are abandoned in its name, and then their files are removed.
   */
  newHolder?: string;
}

/** A run date in order, as the log says. */
export interface Settled {
  log: Log;
  current: StoredManifest | undefined;
}

/**
 * Brings a run date in order after a commit, or after a run that died: the copy of its manifest is refreshed, and the
 * files of replaced and abandoned runs are removed. It goes by facts that never change, so it may be interrupted, slept
 * through and repeated at any point, by anybody.
 * @throws StorageError
 */
export async function settle(request: SettleRequest): Promise<Settled> {
  const { storage, runDate, clock, newHolder } = request;
  for (let log = await readLog(storage, request.log); ; ) {
    checkLog(log, storage);
    const current = await readCurrent(storage, log, runDate);
    if (current) await refreshCopy(storage, runDate, current);
    const { doomed, undecided } = await findUnreferenced(request, { log, current });
    await forEachConcurrently(doomed, { limit: REMOVALS_AT_ONCE }, (key) => storage.remove(key));
    if (newHolder !== undefined)
      for (const deadRun of undecided)
        await abandon({ storage, runDate, deadRun, runId: newHolder, log, clock });
    // When the head has moved it is done again: a run was abandoned, or an older copy was written over a newer one.
    const later = await readLog(storage, log);
    if (headOf(later, runDate)?.seq === headOf(log, runDate)?.seq) return { log: later, current };
    log = later;
  }
}

const REMOVALS_AT_ONCE = 16;

async function refreshCopy(storage: Storage, runDate: string, { text }: StoredManifest): Promise<void> {
  const key = currentManifestKey(runDate);
  if ((await readText(storage, key)) === text) return;
  await storage.write(key, once(new TextEncoder().encode(text)));
}

interface Unreferenced {
  /** Keys that can be removed: what becomes of their runs is known. */
  doomed: string[];
  /** Runs that may still commit. */
  undecided: Set<string>;
}

async function findUnreferenced(request: SettleRequest, { log, current }: Settled): Promise<Unreferenced> {
  const { storage, runDate, rejectedRun, newHolder } = request;
  const ofDate = log.flatMap(({ entry }) => (entry?.run_date === runDate ? [entry] : []));
  const committed = new Set(ofDate.filter((entry) => entry.manifest_sha256).map(({ run_id }) => run_id));
  const abandoned = new Set(ofDate.flatMap((entry) => (entry.action === 'abandon' ? [entry.replaces] : [])));
  const referenced = new Set(current ? manifestFiles(current.manifest).map(({ path }) => path) : []);

  const doomed: string[] = [];
  const undecided = new Set<string>();
  const note = (key: string, run: string): void => {
    if (committed.has(run) || abandoned.has(run) || run === rejectedRun) doomed.push(key);
    else if (run !== newHolder) undecided.add(run);
  };
  for (const table of tablesOf(current?.manifest)) {
    for await (const { key } of storage.list(dateFolder(table, runDate))) {
      const run = runOfPart(key);
      if (run === undefined || referenced.has(key)) continue; // a stranger's file is left alone
      note(key, run);
    }
  }
  for await (const { key } of storage.list(runFolder(runDate))) {
    const run = parseManifestKey(key)?.runId;
    if (run !== undefined && !committed.has(run)) note(key, run);
  }
  return { doomed, undecided };
}

/** The tables that a run date may have files of: those of this version, and those that its manifest names. */
export const tablesOf = (manifest: Manifest | undefined): string[] => [
  ...new Set([...streams.map(({ name }) => name), ...Object.keys(manifest?.tables ?? {})]),
];
