import { type Log, runDatesOf } from '../lake/log.js';
import type { Manifest } from '../lake/manifest.js';
import { isManifestError, readCurrent } from '../lake/manifest-file.js';
import type { Storage } from '../storage/storage.js';

/** The days that a report looks back on. */
export interface Period {
  storage: Storage;
  log: Log;
  /** Default: the first day that was published. */
  since?: string | undefined;
  /** The last one. */
  until: string;
}

/** The published days, from the earliest; without a manifest where it is missing, or was changed. @throws StorageError */
export async function* publishedDays({
  storage,
  log,
  since = '',
  until,
}: Period): AsyncGenerator<{ date: string; manifest: Manifest | undefined }, void, void> {
  const dates = runDatesOf(log).filter((date) => date >= since && date <= until);
  for (const date of dates.reverse()) {
    const stored = await readCurrent(storage, log, date).catch((error: unknown) => {
      if (isManifestError(error)) return undefined;
      throw error;
    });
    yield { date, manifest: stored?.manifest };
  }
}

/** Every day (UTC) after one day and before another. */
export function* daysBetween(from: string, to: string): Generator<string> {
  const DAY_MS = 86_400_000;
  for (let at = Date.parse(from) + DAY_MS; at < Date.parse(to); at += DAY_MS)
    yield new Date(at).toISOString().slice(0, 10);
}
