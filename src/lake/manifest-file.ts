import { type Clock, systemClock } from '../clock.js';
import { StorageError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { parseJson, readText, sha256Of } from './json-file.js';
import { checkLog, currentOf, type Log, type LogEntry, readLog } from './log.js';
import { isComplete, type Manifest, manifestSchema } from './manifest.js';
import { newestDates } from './newest-dates.js';
import { manifestKey } from './paths.js';

/** A manifest, with the text that its log entry names. */
export interface StoredManifest {
  readonly manifest: Manifest;
  readonly text: string;
  readonly sha256: string;
}

/**
 * The manifest that a log entry names.
 * @throws StorageError `manifest_missing`, `manifest_differs`, `manifest_invalid`
 */
export async function readEntryManifest(
  storage: Storage,
  { run_date, run_id, manifest_sha256 }: LogEntry,
): Promise<StoredManifest> {
  const key = manifestKey(run_date, run_id);
  const where = `${storage.location}/${key}`;
  const text = await readText(storage, key);
  if (text === undefined) {
    throw new StorageError(
      `${where} is missing, which the log names. Run claude-compliance-connector verify.`,
      {
        code: 'manifest_missing',
      },
    );
  }
  const sha256 = sha256Of(text);
  if (sha256 !== manifest_sha256) {
    throw new StorageError(
      `${where} does not match its log entry: it was changed after publishing. Run claude-compliance-connector verify.`,
      { code: 'manifest_differs' },
    );
  }
  const { success, data, error } = manifestSchema.safeParse(parseJson(text));
  if (success) return { manifest: data, text, sha256 };
  throw new StorageError(
    `${where} is not a manifest that this version can read. Was it written by a newer one?`,
    { code: 'manifest_invalid', cause: error },
  );
}

/** The current manifest of a run date, by the log; undefined when nothing was published. @throws StorageError */
export async function readCurrent(
  storage: Storage,
  log: Log,
  runDate: string,
): Promise<StoredManifest | undefined> {
  const entry = currentOf(log, runDate);
  return entry && (await readEntryManifest(storage, entry));
}

/**
 * The current manifest of a run date; undefined when nothing was published.
 * @throws StorageError `manifest_missing`, `manifest_differs`, `manifest_invalid`, `log_damaged`
 */
export async function readManifest(storage: Storage, runDate: string): Promise<Manifest | undefined> {
  const log = await readLog(storage);
  checkLog(log, storage);
  return (await readCurrent(storage, log, runDate))?.manifest;
}

/** Whether an error says that a manifest cannot be read, which is no fault of the storage. */
export const isManifestError = (error: unknown): boolean =>
  error instanceof StorageError &&
  ['manifest_missing', 'manifest_differs', 'manifest_invalid'].includes(error.code);

/** Which snapshot is looked for. */
export interface NewestRequest {
  storage: Storage;
  log: Log;
  /** The streams that it must hold completely. */
  streams: readonly string[];
  /** Whose today is the last day that may be the newest. Default: the machine's. */
  clock?: Clock | undefined;
  /** Pass over manifests that cannot be read, for who only needs something to compare with. */
  skipUnreadable?: boolean;
}

/** The newest snapshot, of `newestDates`, that holds some streams completely, of all organisations. @throws StorageError */
export async function newestWith(request: NewestRequest): Promise<Manifest | undefined> {
  const { storage, log, streams, clock = systemClock, skipUnreadable = false } = request;
  checkLog(log, storage);
  for (const runDate of newestDates(log, clock)) {
    const current = await readCurrent(storage, log, runDate).catch((error: unknown) => {
      if (skipUnreadable && isManifestError(error)) return undefined;
      throw error;
    });
    const manifest = current?.manifest;
    if (manifest && manifest.status !== 'pruned' && streams.every((name) => isComplete(manifest, name)))
      return manifest;
  }
  return undefined;
}
