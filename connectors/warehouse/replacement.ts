import { covers, type Manifest, RefusedError, type Scope } from '../../src/index.js';

/** What the warehouse holds of a run date, from any of its rows in `snapshots`; `scope` is JSON text. */
export interface Existing {
  status: unknown;
  scope: unknown;
}

/**
 * Less never replaces more: neither a narrower scope a wider one, nor an incomplete snapshot one that is not.
 * @throws RefusedError `would_replace_wider`, `would_replace_complete`
 */
export function checkReplaces(manifest: Manifest, existing: Existing | undefined): void {
  if (!existing) return;
  if (!covers(manifest.scope, JSON.parse(String(existing.scope)) as Scope)) {
    throw new RefusedError(
      `The warehouse holds a snapshot of ${manifest.run_date} that was asked for more streams or organisations than this one. It is kept; load this one into another --schema or database.`,
      'would_replace_wider',
    );
  }
  if (existing.status !== 'incomplete' && manifest.status === 'incomplete') {
    throw new RefusedError(
      `The warehouse holds a ${existing.status} snapshot of ${manifest.run_date}, and this one is incomplete. It is kept; load this one into another --schema or database.`,
      'would_replace_complete',
    );
  }
}
