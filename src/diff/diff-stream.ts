import type { PublishedSnapshot } from '../lake/file-rows.js';
import type { Slice } from '../lake/manifest.js';
import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import { keyText, type ParentKey, type Stream } from '../streams/stream.js';
import { changeMaker } from './change-maker.js';
import type { ChangeRow } from './changes.js';
import { rowComparer } from './compare-rows.js';
import { incomparableFields } from './incomparable.js';
import { joinByKey } from './join.js';
import { type ListRows, listRows } from './list-rows.js';
import { type ListState, listStates } from './list-states.js';
import { movingRecords } from './moving.js';

/** The two snapshots that are compared. */
export interface Sides {
  before: PublishedSnapshot;
  after: PublishedSnapshot;
}

export interface StreamRequest extends Sides {
  stream: Stream;
  /** Gives a new place for rows that do not fit into memory. */
  partitions(): Promise<Partitions>;
  /** Only these organisations, of streams that have lists of them. */
  organizations?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/** What changed in one stream: list after list, in the order of their keys. */
export async function* diffStream(request: StreamRequest): AsyncGenerator<ChangeRow[], void, void> {
  const { stream, before, after, organizations, signal } = request;
  const tables = [before, after].map(({ manifest }) => manifest.tables[stream.name]);
  if (!tables[0] && !tables[1]) return;
  const [from_date, to_date] = [before.manifest.run_date, after.manifest.run_date];
  const changes = changeMaker(stream, { from_date, to_date });
  const incomparable = incomparableFields(stream, [before.manifest, after.manifest]);
  yield incomparable.map(({ field, reason }) => changes.unknownField(field, reason));
  const compare = rowComparer(stream, new Set(incomparable.map(({ field }) => field)));
  const [stateBefore, stateAfter] = [listStates(before.manifest), listStates(after.manifest)];
  const readers = [listRows(stream, before), listRows(stream, after)] as const;
  const moving = stream.movesBetweenLists ? movingRecords(stream, request.partitions) : undefined;
  try {
    for (const parent of listsOf(tables)) {
      signal?.throwIfAborted();
      if (organizations && !isIn(parent, organizations)) continue;
      const states = [stateBefore(stream, parent), stateAfter(stream, parent)] as const;
      const [from, to] = states;
      if (from.state === 'unknown' || to.state === 'unknown') {
        yield [changes.unknownList(parent, states)];
        continue;
      }
      if (isServedAlike(from, to)) continue;
      const reason = from.state === 'absent' ? 'list_added' : to.state === 'absent' ? 'list_removed' : null;
      const pairs = joinByKey({
        before: rowsOf(from, readers[0]),
        after: rowsOf(to, readers[1]),
        keyOf: keyReader(stream.key),
        partitions: request.partitions,
      });
      for await (const batch of pairs) {
        signal?.throwIfAborted();
        const rows: ChangeRow[] = [];
        for (const { before: one, after: other } of batch) {
          if (one && other) rows.push(...changes.changed(other, compare(one, other)));
          else if (moving) await moving.add((one ?? other) as Row, one ? 'removed' : 'added', reason);
          else rows.push(changes.single((one ?? other) as Row, one ? 'removed' : 'added', reason));
        }
        if (rows.length > 0) yield rows;
      }
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
  for await (const groups of moving?.groups() ?? []) {
    yield groups.flatMap(({ moved, singles }) => [
      ...moved.flatMap(([one, other]) => [
        changes.moved(one, other),
        ...changes.changed(other, compare(one, other)),
      ]),
      ...singles.map(({ row, change, reason }) => changes.single(row, change, reason)),
    ]);
  }
}

const isServedAlike = (from: ListState, to: ListState): boolean =>
  from.state === 'read' &&
  to.state === 'read' &&
  from.slice.pages_sha256 !== null &&
  from.slice.pages_sha256 === to.slice.pages_sha256;

const isIn = (parent: ParentKey, organizations: readonly string[]): boolean =>
  parent.organization_uuid === undefined || organizations.includes(parent.organization_uuid);

async function* rowsOf(state: ListState, reader: ListRows): AsyncGenerator<readonly Row[]> {
  if (state.state === 'read') yield* reader.of(state.slice);
}

/** The keys of all lists, in their order. */
function listsOf(tables: readonly ({ slices: readonly Slice[] } | undefined)[]): ParentKey[] {
  const keys = new Map(
    tables.flatMap((table) => table?.slices ?? []).map(({ parent }) => [keyText(parent), parent]),
  );
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, parent]) => parent);
}

function keyReader(key: readonly string[]): (row: Row) => string {
  const [first = '', ...rest] = key;
  if (rest.length === 0) return (row) => row[first] as string;
  return (row) => JSON.stringify(key.map((name) => row[name] ?? null));
}
