import type { PublishedSnapshot } from '../lake/file-rows.js';
import type { Slice } from '../lake/manifest.js';
import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import { keyText, type ParentKey, type Stream } from '../streams/stream.js';
import { changeMaker } from './change-maker.js';
import type { ChangeRow } from './changes.js';
import { rowComparer } from './compare-rows.js';
import { diffList } from './diff-list.js';
import { erasedBetween } from './erased.js';
import { incomparableFields } from './incomparable.js';
import { type ListRows, listRows } from './list-rows.js';
import { type ListState, listStates } from './list-states.js';
import { movingRecords } from './moving.js';
import type { Selection } from './selection.js';

export interface StreamRequest {
  stream: Stream;
  before: PublishedSnapshot;
  after: PublishedSnapshot;
  selection: Selection;
  /** Gives a new place for rows that do not fit into memory. */
  partitions(): Partitions;
  signal?: AbortSignal | undefined;
}

/** What changed in one stream: list after list, in the order of their keys; then who is in other lists than before. */
export async function* diffStream(request: StreamRequest): AsyncGenerator<ChangeRow[], void, void> {
  const { stream, before, after, selection, partitions, signal } = request;
  const manifests = [before.manifest, after.manifest] as const;
  const [from_date, to_date] = [before.manifest.run_date, after.manifest.run_date];
  const erased = erasedBetween(stream, manifests);
  const changes = changeMaker(stream, { dates: { from_date, to_date }, erased });
  const incomparable = incomparableFields(stream, [before, after]);
  yield incomparable.map(({ field, reason }) => changes.unknownField(field, reason));
  const compare = rowComparer(stream, new Set(incomparable.map(({ field }) => field)));
  const [stateBefore, stateAfter] = [listStates(before.manifest), listStates(after.manifest)];
  const readers = [listRows(stream, before), listRows(stream, after)] as const;
  const moving = stream.movesBetweenLists ? movingRecords(stream, partitions) : undefined;
  try {
    for (const parent of listsOf(manifests.map(({ tables }) => tables[stream.name]))) {
      signal?.throwIfAborted();
      if (!selection.hasList(parent)) continue;
      const states = [stateBefore(stream, parent), stateAfter(stream, parent)] as const;
      const [from, to] = states;
      if (from.state === 'unknown' || to.state === 'unknown') {
        yield [changes.unknownList(parent, states)];
        continue;
      }
      if (isServedAlike(from, to)) continue;
      yield* diffList({
        before: selection.recordsOf(stream, rowsOf(from, readers[0])),
        after: selection.recordsOf(stream, rowsOf(to, readers[1])),
        reason: from.state === 'absent' ? 'list_added' : to.state === 'absent' ? 'list_removed' : null,
        keyOf: keyReader(stream.key),
        changes,
        compare,
        moving,
        partitions,
        signal,
      });
    }
    for (const reader of readers) await reader.end();
    for await (const groups of moving?.groups() ?? []) {
      yield groups.flatMap(({ moved, singles }) => [
        ...moved.flatMap(([one, other]) => [
          changes.moved(one, other),
          ...changes.changed(other, compare(one, other)),
        ]),
        ...singles.map(changes.single),
      ]);
    }
  } finally {
    for (const reader of readers) await reader.close();
    await moving?.remove();
  }
}

/** Then the records are the same, whatever the two versions of the connector know of them. */
export const isServedAlike = (from: ListState, to: ListState): boolean =>
  from.state === 'read' &&
  to.state === 'read' &&
  from.slice.pages_sha256 !== null &&
  from.slice.pages_sha256 === to.slice.pages_sha256;

/** The rows of a list; none where it was not there. */
export async function* rowsOf(
  state: ListState,
  reader: Pick<ListRows, 'of'>,
): AsyncGenerator<readonly Row[], void, void> {
  if (state.state === 'read') yield* reader.of(state.slice);
}

/** The keys of all lists, in their order. */
function listsOf(tables: readonly ({ slices: readonly Slice[] } | undefined)[]): ParentKey[] {
  const keys = new Map(
    tables.flatMap((table) => table?.slices ?? []).map(({ parent }) => [keyText(parent), parent]),
  );
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, parent]) => parent);
}

/** What names a record in its list. */
export function keyReader(key: readonly string[]): (row: Row) => string {
  const [first = '', ...rest] = key;
  if (rest.length === 0) return (row) => row[first] as string;
  return (row) => JSON.stringify(key.map((name) => row[name] ?? null));
}
