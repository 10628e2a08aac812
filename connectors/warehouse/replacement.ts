import { covers, type Manifest, RefusedError, type Scope } from '../../src/index.js';

/** What the warehouse holds of a run date; `scope` is JSON text. */
export interface Standing {
  status: unknown;
  scope: unknown;
}

/**
 * What is less never replaces what is more: neither a part a whole, nor an incomplete snapshot a complete one.
 * @throws RefusedError `would_replace_wider`, `would_replace_complete`
 */
export function checkReplaces(manifest: Manifest, standing: Standing | undefined): void {
  if (!standing) return;
  if (!covers(manifest.scope, JSON.parse(String(standing.scope)) as Scope)) {
    throw new RefusedError(
      `The warehouse holds a snapshot of ${manifest.run_date} that was asked for more than this one. It stays; load this one into another --schema or database.`,
      'would_replace_wider',
    );
  }
  if (standing.status === 'complete' && manifest.status === 'incomplete') {
    throw new RefusedError(
      `The warehouse holds a complete snapshot of ${manifest.run_date}, and this one is incomplete. It stays; load this one into another --schema or database.`,
      'would_replace_complete',
    );
  }
}
