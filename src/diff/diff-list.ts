import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import { byKey, setAside } from './aside.js';
import type { ChangeMaker } from './change-maker.js';
import type { ChangeRow } from './changes.js';
import type { Difference } from './compare-rows.js';
import { joinByKey } from './join.js';
import type { Single } from './moving.js';

/** One list that both sides have read, or in which one of them had no record. */
export interface ListRequest {
  before: AsyncGenerator<readonly Row[], void, void>;
  after: AsyncGenerator<readonly Row[], void, void>;
  changes: ChangeMaker;
  compare(before: Row, after: Row): Difference[];
  /** What names a record in the list. */
  keyOf(row: Row): string;
  /** Why records are on one side only, where that is about the whole list. */
  reason: string | null;
  /** Takes the records that are on one side only, where they may be on the other side of another list. */
  moving?: { add(single: Single): Promise<void> } | undefined;
  partitions(): Partitions;
  signal?: AbortSignal | undefined;
}

/** What changed in one list, in an order that depends on the keys of its records alone. */
export async function* diffList(request: ListRequest): AsyncGenerator<ChangeRow[], void, void> {
  const { changes, compare, keyOf, reason, moving, partitions, signal } = request;
  const found = setAside<ChangeRow[]>(partitions);
  try {
    for await (const pairs of joinByKey(request)) {
      signal?.throwIfAborted();
      for (const { before, after } of pairs) {
        if (before && after) {
          const differences = compare(before, after);
          if (differences.length > 0) await found.add(keyOf(after), changes.changed(after, differences));
          continue;
        }
        const row = (before ?? after) as Row;
        const single: Single = { row, change: before ? 'removed' : 'added', reason };
        if (moving) await moving.add(single);
        else await found.add(keyOf(row), [changes.single(single)]);
      }
    }
    for await (const groups of found.groups()) yield byKey(groups).flatMap(([, rows]) => rows.flat());
  } finally {
    await found.remove();
  }
}
