import { ComplianceError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { covers, isFull, type Manifest, type Scope, statusWhenPublished } from './manifest.js';
import { newestSnapshot, readManifest } from './manifest-file.js';

/** The snapshot is whole, or as whole as it can be, but publishing it would do harm. */
export class RefusedError extends ComplianceError {
  constructor(message: string, code: string) {
    super(message, { code });
  }
}

/** What stands at a run date, or stood there before a run that was killed while it published. */
export const standing = (existing: Manifest | undefined): Manifest['replaces'] => {
  if (!existing || existing.status === 'pruned') return null;
  // A compaction that was killed leaves the snapshot that it found.
  if (existing.status === 'publishing' && !existing.compaction) return existing.replaces;
  const { run_id, scope } = existing;
  return { run_id, status: statusWhenPublished(existing), scope };
};

/**
 * A narrower scope never replaces a wider one, and neither one that was cut short while it was published: that one only
 * goes on. What was pruned is not replaced at all: its manifest is all that is left of it.
 * @throws RefusedError `scope_refused`, `pruned_refused`
 */
export function checkReplaceable(scope: Scope, existing: Manifest | undefined, runDate: string): void {
  if (existing?.status === 'pruned') {
    throw new RefusedError(
      `The snapshot of ${runDate} was pruned, and its manifest stays as evidence of it. Nothing was written. Choose another folder or another --run-date.`,
      'pruned_refused',
    );
  }
  const wider = [existing, standing(existing)].find((other) => other && !covers(scope, other.scope));
  if (!wider) return;
  throw new RefusedError(
    `A ${isFull(wider.scope) ? 'full snapshot' : 'snapshot of another scope'} of ${runDate} lies there already${existing?.status === 'publishing' ? ', or was being put there' : ''}, and this run reads less. Nothing was written. Choose another folder or another --run-date.`,
    'scope_refused',
  );
}

interface GuardRequest {
  storage: Storage;
  /** What is to be published. */
  manifest: Manifest;
  maxShrink: number;
  force: boolean;
}

/**
 * Compares what is about to be published with what stands, unless its publication has begun: then it only goes on.
 * @throws RefusedError `scope_refused`, `incomplete_refused`, `shrink_refused`
 */
export async function checkPublishable({ storage, manifest, maxShrink, force }: GuardRequest): Promise<void> {
  const existing = await readManifest(storage, manifest.run_date);
  if (existing?.run_id === manifest.run_id) return;
  checkReplaceable(manifest.scope, existing, manifest.run_date);
  if (force) return;
  if (standing(existing)?.status === 'complete' && manifest.totals.failed > 0) {
    throw new RefusedError(
      `${manifest.totals.failed} organisation(s) could not be read, and a complete snapshot of ${manifest.run_date} lies there already: it stays. Run again to complete this one, or publish it with --force.`,
      'incomplete_refused',
    );
  }
  if (!isFull(manifest.scope)) return;
  const newest = await newestSnapshot(storage);
  if (newest) checkShrink(manifest, newest, maxShrink);
}

function checkShrink(manifest: Manifest, newest: Manifest, maxShrink: number): void {
  const read = new Map(manifest.slices.map((slice) => [slice.organization_uuid, slice]));
  const known = newest.slices.filter(({ verdict }) => verdict === 'complete');
  if (known.length === 0) return;
  const gone = known.filter(
    ({ organization_uuid }) => (read.get(organization_uuid)?.verdict ?? 'gone') === 'gone',
  );
  // An organisation that failed says nothing about its users.
  const comparable = known.filter(
    ({ organization_uuid }) => read.get(organization_uuid)?.verdict !== 'failed',
  );
  const before = comparable.reduce((sum, { rows }) => sum + rows, 0);
  const fallen = before === 0 ? 0 : (before - manifest.totals.users) / before;
  const shrink = 100 * Math.max(gone.length / known.length, fallen);
  if (shrink <= maxShrink && gone.length < known.length) return;
  throw new RefusedError(
    `Against the snapshot of ${newest.run_date}, ${gone.length} of ${known.length} organisations are gone and there are ${manifest.totals.users} users where ${before} were: more than --max-shrink ${maxShrink} allows. Nothing was published; what was read is kept. If this is right, publish it with --force.`,
    'shrink_refused',
  );
}
