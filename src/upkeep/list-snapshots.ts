import { forEachConcurrently } from '../concurrency.js';
import { ComplianceError } from '../errors.js';
import { existingLog } from '../lake/existing-log.js';
import { checkLog, runDatesOf } from '../lake/log.js';
import { headOfLog, type LogHead } from '../lake/log-head.js';
import { isBackDated, isComplete, type Manifest } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import type { Layout } from '../run/settings.js';
import type { Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';

/** How many rows of a stream a snapshot holds. */
export interface StreamCount {
  stream: string;
  /** null: the API served none of its lists, so nothing is known. */
  rows: number | null;
  isComplete: boolean;
  /** The rows more, or fewer, than at `since`; null where one of the two is not complete. */
  change: number | null;
  /** The newest run date before that holds the stream completely; null: there is none. */
  since: string | null;
}

/** What a run date holds, by its current manifest. */
export interface SnapshotSummary {
  runDate: string;
  /** Of the run that read the API. */
  runId: string;
  status: Manifest['status'];
  format: string;
  /** Of the tables that have a list for each organisation, role or group; none for a snapshot without such tables. */
  layouts: Layout[];
  streams: StreamCount[];
  files: number;
  bytes: number;
  /** When the run began. */
  startedAt: string;
  /** Whether that was on another day than the run date. */
  isBackDated: boolean;
  /** When the last page had been read. */
  extractedAt: string;
}

/** A run date whose manifest cannot be read. */
export interface UnreadableSnapshot {
  runDate: string;
  code: string;
  message: string;
}

/** What was published in a root. */
export interface SnapshotList {
  head: LogHead;
  /** The oldest first. Those that were pruned still have their counts. */
  snapshots: SnapshotSummary[];
  unreadable: UnreadableSnapshot[];
}

/** Manifests that are read at the same time: each names every list, and may have megabytes. */
const READS_AT_ONCE = 8;

/**
 * Lists the snapshots of a root by its log and its current manifests; no data file is read.
 * @throws ConfigError `snapshot_missing`, StorageError
 */
export async function listSnapshots({
  storage,
  signal,
}: {
  storage: Storage;
  signal?: AbortSignal | undefined;
}): Promise<SnapshotList> {
  const log = await existingLog(storage);
  checkLog(log, storage);
  const runDates = runDatesOf(log).reverse();
  const found: (SnapshotSummary | UnreadableSnapshot)[] = new Array(runDates.length);
  await forEachConcurrently(
    [...runDates.entries()],
    { limit: READS_AT_ONCE, signal },
    async ([i, runDate]) => {
      found[i] = await readCurrent(storage, log, runDate).then(
        (current) => summarize(current?.manifest as Manifest), // the log has an entry that names it
        (error: unknown) => unreadable(runDate, error),
      );
    },
  );
  const snapshots = found.filter((one) => 'status' in one);
  addChanges(snapshots);
  return { head: headOfLog(log), snapshots, unreadable: found.filter((one) => 'code' in one) };
}

function summarize(manifest: Manifest): SnapshotSummary {
  const { run_date: runDate, run_id: runId, status, format, tables, totals } = manifest;
  const { files, bytes } = totals;
  const nested = Object.entries(tables).filter(
    ([name]) => streams.find((known) => known.name === name)?.parent,
  );
  const layouts = nested.map(([, { layout }]): Layout => (layout === 'per-parent' ? 'per-org' : layout));
  return {
    runDate,
    runId,
    status,
    format,
    layouts: [...new Set(layouts)],
    streams: Object.keys(tables).map((stream) => countOf(manifest, stream)),
    files,
    bytes,
    startedAt: manifest.started_at,
    isBackDated: isBackDated(manifest),
    extractedAt: manifest.extracted_at,
  };
}

function countOf(manifest: Manifest, stream: string): StreamCount {
  const { rows = 0, slices = [] } = manifest.tables[stream] ?? {};
  const isOff = slices.length > 0 && slices.every(({ verdict }) => verdict === 'unavailable');
  return {
    stream,
    rows: isOff ? null : rows,
    isComplete: !isOff && isComplete(manifest, stream),
    change: null,
    since: null,
  };
}

/** @param snapshots the oldest first */
function addChanges(snapshots: readonly SnapshotSummary[]): void {
  const last = new Map<string, { runDate: string; rows: number }>();
  for (const { runDate, streams: counts } of snapshots) {
    for (const count of counts) {
      if (!count.isComplete || count.rows === null) continue;
      const before = last.get(count.stream);
      if (before) {
        count.change = count.rows - before.rows;
        count.since = before.runDate;
      }
      last.set(count.stream, { runDate, rows: count.rows });
    }
  }
}

function unreadable(runDate: string, error: unknown): UnreadableSnapshot {
  if (!(error instanceof ComplianceError)) throw error;
  const { code, message } = error;
  return { runDate, code, message };
}
