import { ComplianceError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { covers, isFull, type Manifest, newestSnapshot, type Scope } from './manifest.js';

/** The snapshot is whole, or as whole as it can be, but publishing it would do harm. */
export class RefusedError extends ComplianceError {
  constructor(message: string, code: string) {
    super(message, { code });
  }
}

/** What stands at a run date, or stood there before a run that was killed while it published. */
export const standing = (existing: Manifest | undefined): Manifest['replaces'] => {
  if (!existing || existing.status === 'publishing') return existing?.replaces ?? null;
  const { run_id, status, scope } = existing;
  return { run_id, status, scope };
};

/**
 * A narrower scope never replaces a wider one.
 * @throws RefusedError `scope_refused`
 */
export function checkScope(scope: Scope, replaced: Manifest['replaces'], runDate: string): void {
  if (!replaced || covers(scope, replaced.scope)) return;
  throw new RefusedError(
    `A ${isFull(replaced.scope) ? 'full snapshot' : 'snapshot of another scope'} of ${runDate} lies there already, and this run reads less. Nothing was written. Choose another folder or another --run-date.`,
    'scope_refused',
  );
}

interface GuardRequest {
  storage: Storage;
  manifest: Manifest;
  replaced: Manifest['replaces'];
  maxShrink: number;
  force: boolean;
}

/**
 * Compares what is about to be published with what stands.
 * @throws RefusedError `scope_refused`, `incomplete_refused`, `shrink_refused`
 */
export async function checkPublishable({
  storage,
  manifest,
  replaced,
  maxShrink,
  force,
}: GuardRequest): Promise<void> {
  checkScope(manifest.scope, replaced, manifest.run_date);
  if (force) return;
  if (replaced?.status === 'complete' && manifest.totals.failed > 0) {
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
