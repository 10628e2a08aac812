import { columnKinds, isComplete, listStates, type Manifest, parentOf, streams } from '../../src/index.js';
import { type Dialect, insertRows, type SqlRow } from './ddl.js';
import { readListsTable, snapshotsTable, unreadListsTable } from './model.js';

interface InsertOwnRows {
  manifest: Manifest;
  /** Of its text, as the log has it. */
  manifestSha256: string;
  schema: string;
  dialect: Dialect;
  /** The engine's own clock, as an expression. */
  now: string;
}

/** What the tables get that are not loaded from files; `snapshots` last, by which readers see that a run date is there. */
export function insertOwnRows({ manifest, manifestSha256, ...into }: InsertOwnRows): string[] {
  return [
    ...insertRows({ ...into, table: unreadListsTable, rows: unreadLists(manifest) }),
    ...insertRows({ ...into, table: readListsTable, rows: readLists(manifest) }),
    ...insertRows({ ...into, table: snapshotsTable, rows: snapshotRows(manifest, manifestSha256) }),
  ];
}

/** One row for each stream that the manifest holds. */
function snapshotRows(manifest: Manifest, manifestSha256: string): SqlRow[] {
  const { run_date, run_id, status, scope, extracted_at } = manifest;
  return Object.entries(manifest.tables).map(([stream, { rows, slices }]) => {
    const count = (wanted: string): number => slices.filter(({ verdict }) => verdict === wanted).length;
    return {
      run_date,
      stream,
      run_id,
      manifest_sha256: manifestSha256,
      status,
      is_complete: isKnown(manifest, stream),
      has_all_organizations: scope.organizations === 'all',
      scope: JSON.stringify(scope),
      columns: columnsText(manifest, stream),
      row_count: rows,
      slice_count: slices.length,
      gone_count: count('gone'),
      unavailable_count: count('unavailable'),
      failed_count: count('failed'),
      extracted_at,
    };
  });
}

/**
 * Whether the rows of a stream are what there is. An unavailable list is no reason to wait for another day, as a failed
 * one is: where the API does not serve the list of one organisation, it will not tomorrow, and the other organisations
 * are known. Where it serves none of them, nothing is known, and no rows would say that there is nothing.
 */
function isKnown(manifest: Manifest, stream: string): boolean {
  const slices = manifest.tables[stream]?.slices ?? [];
  const isOff = slices.some(({ verdict }) => verdict === 'unavailable');
  return isComplete(manifest, stream) && (!isOff || slices.some(({ verdict }) => verdict === 'complete'));
}

function columnsText(manifest: Manifest, name: string): string {
  const stream = streams.find((known) => known.name === name);
  return JSON.stringify((stream && columnKinds(stream, { manifest })) ?? {});
}

function unreadLists({ run_date, tables }: Manifest): SqlRow[] {
  return Object.entries(tables).flatMap(([stream, { slices }]) =>
    slices
      .filter(({ verdict }) => verdict !== 'complete')
      .map(({ parent, verdict, reason }) => ({
        run_date,
        stream,
        ...parent,
        verdict,
        reason: reason?.code ?? null,
      })),
  );
}

/** Where the list above was read, every list that follows from it is known: it is in `unread_lists`, or it was read, or it was not there. */
function readLists(manifest: Manifest): SqlRow[] {
  const stateOf = listStates(manifest);
  return streams.flatMap((stream) => {
    const { parent: above, name } = stream;
    if (!above) return [];
    return (manifest.tables[name]?.slices ?? [])
      .filter(
        ({ verdict, parent }) =>
          verdict === 'complete' && stateOf(above.stream, parentOf(stream, parent)).state === 'unknown',
      )
      .map(({ parent }) => ({ run_date: manifest.run_date, stream: name, ...parent }));
  });
}
