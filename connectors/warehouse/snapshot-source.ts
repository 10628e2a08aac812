import {
  ConfigError,
  type FileEntry,
  isFull,
  type Manifest,
  manifestFiles,
  newestSnapshot,
  RefusedError,
  readManifest,
  SCHEMA_VERSION,
  type Storage,
} from '../../src/index.js';
import { WarehouseError } from './warehouse-error.js';

/** A snapshot, and where it lies. */
export interface SnapshotSource {
  readonly storage: Storage;
  readonly manifest: Manifest;
}

interface Choice {
  storage: Storage;
  /** A run date, or `latest`: the newest that is complete and full. */
  runDate: string;
  allowIncomplete: boolean;
}

/**
 * Finds the snapshot to load.
 * @throws ConfigError `snapshot_missing`, `snapshot_pruned`, `schema_version_unknown`; RefusedError `snapshot_incomplete`;
 *   WarehouseError `snapshot_publishing`
 */
export async function chooseSnapshot({ storage, runDate, allowIncomplete }: Choice): Promise<SnapshotSource> {
  const manifest = await (runDate === 'latest' ? newestSnapshot(storage) : readManifest(storage, runDate));
  if (!manifest) {
    const wanted = runDate === 'latest' ? 'complete snapshot of everything' : `snapshot of ${runDate}`;
    throw new ConfigError(
      `There is no ${wanted} in ${storage.location}. Check --from, or name another --run-date.`,
      { code: 'snapshot_missing' },
    );
  }
  if (manifest.status === 'publishing') throw publishing(storage, manifest);
  if (manifest.status === 'pruned') {
    throw new ConfigError(
      `The snapshot of ${manifest.run_date} in ${storage.location} was pruned: its files are gone. Name another --run-date.`,
      { code: 'snapshot_pruned' },
    );
  }
  if (manifest.status === 'incomplete' && !allowIncomplete) {
    throw new RefusedError(
      `The snapshot of ${manifest.run_date} in ${storage.location} is incomplete: ${manifest.totals.failed} organisation(s) could not be read. Load it with --allow-incomplete, or another --run-date.`,
      'snapshot_incomplete',
    );
  }
  if (manifest.schema_version !== SCHEMA_VERSION) {
    throw new ConfigError(
      `The snapshot of ${manifest.run_date} in ${storage.location} has columns of version ${manifest.schema_version}; this connector loads version ${SCHEMA_VERSION}. Update it, or take the snapshot again.`,
      { code: 'schema_version_unknown' },
    );
  }
  checkPaths(manifest, storage);
  return { storage, manifest };
}

/** Whether a snapshot may become the current one. */
export const isCurrent = ({ status, scope }: Manifest): boolean => status === 'complete' && isFull(scope);

/**
 * That what was read is one snapshot: while it was read, nobody published another one over it. (A publication marks
 * the manifest before it touches a file.)
 * @throws WarehouseError `snapshot_publishing`
 */
export async function checkUnchanged({ storage, manifest }: SnapshotSource): Promise<void> {
  const now = await readManifest(storage, manifest.run_date);
  if (now?.run_id === manifest.run_id && now.published_at === manifest.published_at) return;
  throw publishing(storage, manifest);
}

const publishing = (storage: Storage, { run_date }: Manifest): WarehouseError =>
  new WarehouseError(
    `A run is publishing the snapshot of ${run_date} in ${storage.location}. Nothing was loaded; try again when it has ended.`,
    { code: 'snapshot_publishing', failure: 'transient' },
  );

/** What our own paths are made of; they go into file names and into SQL. */
const SAFE_PATH = /^(?:organizations|users)(?:\/[A-Za-z0-9_-]+(?:=[A-Za-z0-9_-]+)?)*\/[A-Za-z0-9_.-]+$/;

function checkPaths(manifest: Manifest, storage: Storage): void {
  const isForeign = ({ path }: FileEntry): boolean => !SAFE_PATH.test(path) || path.includes('..');
  if (!manifestFiles(manifest).some(isForeign)) return;
  throw new WarehouseError(
    `The manifest of ${manifest.run_date} in ${storage.location} names files that no run of this connector writes. Was it changed by hand? Nothing was loaded.`,
    { code: 'manifest_paths_foreign' },
  );
}
