import {
  ConfigError,
  currentOf,
  isPartOf,
  type Log,
  type Manifest,
  manifestFiles,
  newestWith,
  RefusedError,
  readCurrent,
  readLog,
  type Storage,
} from '../../../src/index.js';
import { WarehouseError } from '../error.js';
import { snapshotTables } from '../model.js';

/** A snapshot, the root that holds it, and the log of the root when it was chosen. */
export interface SnapshotSource {
  readonly storage: Storage;
  readonly manifest: Manifest;
  /** Of the text of the manifest. */
  readonly manifestSha256: string;
  readonly log: Log;
}

interface Choice {
  storage: Storage;
  /** A run date, or `latest`: the newest that holds the streams completely. */
  runDate: string;
  /** What `latest` must hold. */
  streams: readonly string[];
  allowIncomplete: boolean;
  /** The log as it was read before: only what was added since is read. */
  log?: Log;
}

/**
 * Finds the snapshot to load.
 * @throws ConfigError `snapshot_missing`, `snapshot_pruned`, `columns_unknown`; RefusedError `snapshot_incomplete`;
 *   StorageError
 */
export async function chooseSnapshot(choice: Choice): Promise<SnapshotSource> {
  const { storage, runDate, streams, allowIncomplete } = choice;
  const log = await readLog(storage, choice.log);
  const manifest =
    runDate === 'latest'
      ? await newestWith({ storage, log, streams })
      : (await readCurrent(storage, log, runDate))?.manifest;
  if (!manifest) throw missing(choice);
  const { run_date, status, totals } = manifest;
  if (status === 'pruned') {
    throw new ConfigError(
      `The snapshot of ${run_date} in ${storage.location} was pruned: its files were removed. Choose another --run-date.`,
      { code: 'snapshot_pruned' },
    );
  }
  if (status === 'incomplete' && !allowIncomplete) {
    throw new RefusedError(
      `The snapshot of ${run_date} in ${storage.location} is incomplete: ${totals.failed} list(s) could not be read. Load it with --allow-incomplete, or choose another --run-date.`,
      'snapshot_incomplete',
    );
  }
  checkColumns(manifest, storage);
  checkPaths(manifest, storage);
  return sourceOf({ storage, manifest, log });
}

/** A snapshot, with what the log says of its manifest. */
export function sourceOf(source: Omit<SnapshotSource, 'manifestSha256'>): SnapshotSource {
  const { manifest_sha256: manifestSha256 } = currentOf(source.log, source.manifest.run_date) ?? {};
  if (!manifestSha256) throw new TypeError('a manifest is read by the log entry that names it');
  return { ...source, manifestSha256 };
}

function missing({ storage, runDate, streams }: Choice): ConfigError {
  const wanted =
    runDate === 'latest' ? `snapshot that holds ${streams.join(', ')} completely` : `snapshot of ${runDate}`;
  return new ConfigError(
    `There is no ${wanted} in ${storage.location}. Check --from, or choose another --run-date.`,
    { code: 'snapshot_missing' },
  );
}

/**
 * Does something with the files of a snapshot. When that fails because the snapshot was replaced, and its files removed,
 * the error says so.
 * @throws what the work throws, WarehouseError `snapshot_changed`
 */
export async function explainChange<T>(source: SnapshotSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const change = await checkUnchanged(source).catch((found: unknown) => found);
    throw change instanceof WarehouseError ? change : error;
  }
}

/**
 * Checks that a snapshot did not change while it was read: nobody published, compacted or pruned its run date.
 * @throws WarehouseError `snapshot_changed`
 */
export async function checkUnchanged({ storage, manifest, log }: SnapshotSource): Promise<void> {
  const current = currentOf(await readLog(storage, log), manifest.run_date);
  if (current?.run_id === manifest.written.run_id) return;
  throw new WarehouseError(
    `The snapshot of ${manifest.run_date} in ${storage.location} was replaced while it was read. Nothing was loaded. Run the same command again.`,
    { code: 'snapshot_changed', failure: 'transient' },
  );
}

/** An older version knew fewer columns, which are null then; what a newer one knows would be lost. */
function checkColumns({ run_date, tables }: Manifest, { location }: Storage): void {
  const unknown = Object.entries(tables).flatMap(([stream, { columns }]) => {
    const table = snapshotTables.find((known) => known.stream === stream);
    if (!table) return [stream];
    const names = table.columns.map(({ name }) => name);
    return columns.filter((column) => !names.includes(column)).map((column) => `${stream}.${column}`);
  });
  if (unknown.length === 0) return;
  throw new ConfigError(
    `The snapshot of ${run_date} in ${location} holds what this version does not know: ${unknown.join(', ')}. It was written by a newer version of this connector: update this one.`,
    { code: 'columns_unknown' },
  );
}

/** Paths go into file names and into SQL. */
function checkPaths(manifest: Manifest, { location }: Storage): void {
  const { run_date } = manifest;
  if (manifestFiles(manifest).every(({ table, path }) => isPartOf(table, run_date, path))) return;
  throw new WarehouseError(
    `The manifest of ${run_date} in ${location} names files that no run of this connector writes. Was it changed by hand? Nothing was loaded.`,
    { code: 'manifest_paths_foreign' },
  );
}
