import { type Diff, diffSnapshots } from '../diff/diff-snapshots.js';
import { ConfigError, LockedError } from '../errors.js';
import type { Source } from '../lake/source.js';

export interface ChangesRequest {
  /** Default: the complete snapshot before, if there is one. */
  since?: string | undefined;
  /** A folder for temporary files. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** What changed until a snapshot; undefined when no day was named and there is no complete one before. */
export async function changesUntil(
  { storage, manifest, pseudonyms }: Source,
  { since, scratch, signal }: ChangesRequest,
): Promise<Diff | undefined> {
  const days = { from: since, to: manifest.run_date };
  try {
    const diff = await diffSnapshots({ storage, ...days, pseudonyms, scratch, signal });
    if (diff.to.written.run_id === manifest.written.run_id) return diff;
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'snapshots_too_few') return undefined;
    throw error;
  }
  throw new LockedError(
    `The snapshot of ${manifest.run_date} was replaced meanwhile. Run the same command again.`,
  );
}
