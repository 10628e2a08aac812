import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import { setAside } from './aside.js';
import { type JoinSide, joinSide } from './join-side.js';

/** The rows of one key: on both sides, or on one. */
export interface Pair {
  before?: Row;
  after?: Row;
}

/** How much may wait in memory for its other side. */
export interface WaitingBounds {
  rows: number;
  characters: number;
}

/** 50,000 users, or fewer records with much in `extra`. */
const WAITING: WaitingBounds = { rows: 50_000, characters: 2 ** 24 };

export interface JoinRequest {
  /** Returned at the end, whatever happens. */
  before: AsyncGenerator<readonly Row[], void, void>;
  after: AsyncGenerator<readonly Row[], void, void>;
  /** Unique on each side. */
  keyOf(row: Row): string;
  /** Gives a place for what does not fit into memory. */
  partitions(): Partitions;
  waiting?: WaitingBounds;
}

/**
 * Brings the rows of two sides together by their keys. Both are read at the same time and at the same pace: where their order is
 * nearly the same, few rows wait for the other side. Too many are set aside on the disk, and compared at the end.
 */
export async function* joinByKey(request: JoinRequest): AsyncGenerator<Pair[], void, void> {
  const { keyOf, partitions, waiting = WAITING } = request;
  const before = joinSide(request.before);
  const after = joinSide(request.after);
  const aside = setAside<[side: keyof Pair, row: Row]>(partitions);
  const putAside = async (): Promise<void> => {
    for (const [key, row] of before.waiting) await aside.add(key, ['before', row]);
    for (const [key, row] of after.waiting) await aside.add(key, ['after', row]);
    before.clear();
    after.clear();
  };
  try {
    while (!before.isEnded || !after.isEnded) {
      before.request();
      after.request();
      const isBefore = !before.isEnded && (after.isEnded || before.read <= after.read);
      const [own, other] = isBefore ? [before, after] : [after, before];
      const pairs: Pair[] = [];
      for (const row of await own.next()) {
        const key = keyOf(row);
        const match = other.take(key);
        if (match === undefined) own.put(key, row);
        else pairs.push(isBefore ? { before: row, after: match } : { before: match, after: row });
      }
      if (pairs.length > 0) yield pairs;
      const isMuch =
        before.waiting.size + after.waiting.size > waiting.rows ||
        before.characters + after.characters > waiting.characters;
      if (isMuch) await putAside();
    }
    if (aside.isEmpty) {
      yield [...alone(before, after)];
      return;
    }
    await putAside();
    for await (const groups of aside.groups()) {
      yield [...groups.values()].map((rows): Pair => Object.fromEntries(rows));
    }
  } finally {
    await Promise.allSettled([request.before.return(), request.after.return()]);
    await aside.remove();
  }
}

/** What is left on one side only. */
function* alone({ waiting: befores }: JoinSide, { waiting: afters }: JoinSide): Generator<Pair> {
  for (const before of befores.values()) yield { before };
  for (const after of afters.values()) yield { after };
}
