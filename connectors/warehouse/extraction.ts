import { join } from 'node:path';
import {
  type ComplianceClient,
  createSink,
  LocalStorage,
  type OnEvent,
  type SnapshotOptions,
  snapshot,
} from '../../src/index.js';
import type { SnapshotSource } from './snapshot-source.js';
import { WarehouseError } from './warehouse-error.js';

interface Extraction extends Pick<SnapshotOptions, 'streams' | 'org' | 'concurrency' | 'onOrgFailure'> {
  client: ComplianceClient;
  runDate: string | undefined;
  /** Where the snapshot lies until it is loaded. */
  staging: string;
  signal: AbortSignal;
  onEvent: OnEvent;
}

/** Takes a snapshot for one load only: as Parquet, which holds the types, and without locks, since nobody else sees it. */
export async function extract({ staging, runDate, ...options }: Extraction): Promise<SnapshotSource> {
  const storage = new LocalStorage(join(staging, 'snapshot'));
  const [manifest] = await snapshot({
    ...options,
    ...(runDate !== undefined && { runDate }),
    sink: createSink('parquet', { compression: 'snappy' }),
    storage,
    lock: false,
  });
  if (!manifest) throw new WarehouseError('The snapshot has no manifest.', { code: 'manifest_missing' });
  return { storage, manifest };
}
