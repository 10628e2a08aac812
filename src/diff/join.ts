import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';

/** The rows of one key: on both sides, or on one. */
export interface Pair {
  before?: Row;
  after?: Row;
}

export interface JoinRequest {
  before: AsyncIterator<readonly Row[]>;
  after: AsyncIterator<readonly Row[]>;
  /** Unique on each side. */
  keyOf(row: Row): string;
  /** Gives a place for what does not fit into memory; only one join uses it. */
  partitions(): Promise<Partitions>;
  /** Rows that wait in memory for their other side. Default 50,000. */
  waiting?: number;
}

/**
 * Brings the rows of two sides together by their keys. Both are read side by side: where their order is nearly the same, few rows
 * wait. More than `waiting` are set aside on the disk, and compared at the end.
 */
export async function* joinByKey(request: JoinRequest): AsyncGenerator<Pair[]> {
  const { keyOf, waiting = 50_000 } = request;
  const lefts = new Map<string, Row>();
  const rights = new Map<string, Row>();
  let set: Partitions | undefined;
  const setAside = async (): Promise<void> => {
    set ??= await request.partitions();
    for (const [key, row] of lefts) set.add(key, JSON.stringify([key, 0, row]));
    for (const [key, row] of rights) set.add(key, JSON.stringify([key, 1, row]));
    lefts.clear();
    rights.clear();
    await set.spill();
  };
  for (;;) {
    const [left, right] = await Promise.all([request.before.next(), request.after.next()]);
    if (left.done && right.done) break;
    const pairs: Pair[] = [];
    if (!left.done)
      for (const row of left.value)
        meet(row, keyOf(row), { own: lefts, others: rights, isLeft: true, pairs });
    if (!right.done)
      for (const row of right.value)
        meet(row, keyOf(row), { own: rights, others: lefts, isLeft: false, pairs });
    if (pairs.length > 0) yield pairs;
    if (lefts.size + rights.size > waiting) await setAside();
  }
  if (!set) {
    yield [...alone(lefts, rights)];
    return;
  }
  await setAside();
  for await (const lines of set.read()) {
    const parts = [new Map<string, Row>(), new Map<string, Row>()] as const;
    for (const line of lines) {
      const [key, side, row] = JSON.parse(line) as [string, 0 | 1, Row];
      parts[side].set(key, row);
    }
    yield [...both(...parts), ...alone(...parts)];
  }
}

interface Meeting {
  own: Map<string, Row>;
  others: Map<string, Row>;
  isLeft: boolean;
  pairs: Pair[];
}

function meet(row: Row, key: string, { own, others, isLeft, pairs }: Meeting): void {
  const other = others.get(key);
  if (other === undefined) {
    own.set(key, row);
    return;
  }
  others.delete(key);
  pairs.push(isLeft ? { before: row, after: other } : { before: other, after: row });
}

/** Those of two parts that are on both sides; they are taken out. */
function* both(lefts: Map<string, Row>, rights: Map<string, Row>): Generator<Pair> {
  for (const [key, before] of lefts) {
    const after = rights.get(key);
    if (after === undefined) continue;
    rights.delete(key);
    lefts.delete(key);
    yield { before, after };
  }
}

/** What is left on one side only. */
function* alone(lefts: Map<string, Row>, rights: Map<string, Row>): Generator<Pair> {
  for (const before of lefts.values()) yield { before };
  for (const after of rights.values()) yield { after };
}
