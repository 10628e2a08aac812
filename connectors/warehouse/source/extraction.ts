import { join } from 'node:path';
import {
  type ComplianceClient,
  createSink,
  LocalStorage,
  type OnEvent,
  readLog,
  type SnapshotOptions,
  snapshot,
} from '../../../src/index.js';
import { type SnapshotSource, sourceOf } from './snapshot-source.js';

interface Extraction
  extends Pick<SnapshotOptions, 'streams' | 'org' | 'concurrency' | 'onOrgFailure' | 'backDated'> {
  client: ComplianceClient;
  runDate: string | undefined;
  /** Holds the snapshot until it is loaded. */
  scratch: string;
  signal: AbortSignal;
  onEvent: OnEvent;
}

/** Takes a snapshot for one load only, as Parquet, which holds the types. */
export async function extract({ scratch, runDate, ...options }: Extraction): Promise<SnapshotSource> {
  const storage = new LocalStorage(join(scratch, 'snapshot'));
  const [manifest] = await snapshot({
    ...options,
    ...(runDate !== undefined && { runDate }),
    sink: createSink('parquet', { compression: 'snappy' }),
    storage,
  });
  if (!manifest) throw new TypeError('one target has one manifest');
  return sourceOf({ storage, manifest, log: await readLog(storage) });
}
