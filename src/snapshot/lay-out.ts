import { join } from 'node:path';
import { usersSchema } from '../schema.js';
import type { Manifest } from './manifest.js';
import { laidOut, type RegroupingSink, regroup } from './regroup.js';
import { stagedFolder, stagedKey } from './staged-files.js';
import type { Staging } from './staging.js';

interface LayOut {
  /** Of the run, as it has read: organisation by organisation. */
  manifest: Manifest;
  staging: Staging;
  sink: RegroupingSink;
  rowsPerFile: number;
  signal: AbortSignal | undefined;
}

/**
 * Lays what a run has read out per date, in its staging; what an earlier process has laid out is taken as it is.
 * @throws StorageError, SinkError
 */
export async function layOutPerDate({ manifest, staging, sink, ...rest }: LayOut): Promise<Manifest> {
  const left = staging.progress.laidOut.get(sink.format);
  if (left) return laidOut(manifest, 'per-date', { together: left, apart: new Map() });
  const changed = await regroup({
    ...rest,
    manifest,
    sink,
    to: 'per-date',
    read: (file) => staging.files.read(stagedKey(manifest, file)),
    place: (file) => join(staging.folder, stagedKey(manifest, file)),
    write: (name, bytes) => staging.files.stage(`${stagedFolder(sink, usersSchema.name)}/${name}`, bytes),
  });
  await staging.record({ type: 'laid-out', format: sink.format, files: changed.users.files });
  return changed;
}
