import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByKey, type Pair, type WaitingBounds } from '../../src/diff/join.js';
import type { Row } from '../../src/index.js';
import { Partitions } from '../../src/storage/partitions.js';
import { temporaryFolder } from '../run/support/tree.js';

const side = fc.uniqueArray(fc.record({ id: fc.string({ maxLength: 3 }), value: fc.string() }), {
  selector: ({ id }) => id,
});

type Rows = AsyncGenerator<readonly Row[], void, void>;

const keyOf = ({ id }: Row): string => String(id);

async function* batches(rows: readonly Row[], size: number): Rows {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

it('brings every row to its other side once, whatever the order, the batches, and how few may wait', async () => {
  await using folder = await temporaryFolder();
  let places = 0;
  const sizes = fc.record({
    left: fc.integer({ min: 1, max: 9 }),
    right: fc.integer({ min: 1, max: 9 }),
    waiting: fc.integer({ min: 0, max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(side, side, sizes, async (before, after, { left, right, waiting }) => {
      const pairs: Pair[] = [];
      const joined = joinByKey({
        before: batches(before, left),
        after: batches(after, right),
        keyOf,
        waiting: { rows: waiting, characters: 2 ** 20 },
        partitions: () => {
          places += 1;
          return new Partitions(folder.path, { count: 3, buffered: 10 });
        },
      });
      for await (const batch of joined) pairs.push(...batch);
      const ids = new Set([...before, ...after].map(({ id }) => id));
      const expected = [...ids].map((id) => [before, after].map((rows) => rows.find((row) => row.id === id)));
      const asText = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).sort();
      expect(asText(pairs.map((pair) => [pair.before, pair.after]))).toEqual(asText(expected));
    }),
  );
  expect(places).toBeGreaterThan(10);
});

/** Users in a list; those of the API are objects of such a size. */
const users = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i): Row => ({ id: `user ${i}`, ...more }));

interface Joined {
  pairs: number;
  alone: number;
  /** Whether something was set aside. */
  isAside: boolean;
}

async function join(before: Rows, after: Rows, waiting?: WaitingBounds): Promise<Joined> {
  await using folder = await temporaryFolder();
  const found = { pairs: 0, alone: 0, isAside: false };
  const partitions = () => {
    found.isAside = true;
    return new Partitions(folder.path, { buffered: 0 });
  };
  const joined = joinByKey({ before, after, keyOf, partitions, ...(waiting && { waiting }) });
  for await (const pairs of joined)
    for (const pair of pairs) found[pair.before && pair.after ? 'pairs' : 'alone'] += 1;
  expect(await readdir(folder.path)).toEqual([]);
  return found;
}

describe('what waits', () => {
  it('is little where both sides have the same order, however large their batches are', async () => {
    const rows = users(20_000);
    const joined = await join(batches(rows, 10), batches(rows, 3000), { rows: 7000, characters: 2 ** 30 });
    expect(joined).toEqual({ pairs: 20_000, alone: 0, isAside: false });
  });

  it('is set aside when it is much, in rows or in characters, and its files are removed', async () => {
    const opposite = users(1000).reverse();
    const at = (waiting: WaitingBounds) => join(batches(users(1000), 50), batches(opposite, 50), waiting);
    expect(await at({ rows: 900, characters: 2 ** 20 })).toEqual({ pairs: 1000, alone: 0, isAside: true });
    expect(await at({ rows: 1000, characters: 2 ** 20 })).toMatchObject({ isAside: false });
    expect(await at({ rows: 1000, characters: 5000 })).toMatchObject({ pairs: 1000, isAside: true });
    const large = users(1000, { extra: { text: 'x'.repeat(40_000) } });
    const joined = await join(batches(large, 10), batches(large.toReversed(), 10));
    expect(joined).toEqual({ pairs: 1000, alone: 0, isAside: true });
  });
});

describe('both sides', () => {
  /** Rows that never end, or that end with an error; says whether they were closed. */
  function watched(failure?: Error) {
    const state = { isClosed: false };
    async function* rows(): Rows {
      try {
        for (let i = 0; i < 3 || !failure; i += 1) yield [{ id: `${failure} ${i}` }];
        throw failure;
      } finally {
        state.isClosed = true;
      }
    }
    return { state, rows: rows() };
  }

  it('are closed when one of them fails', async () => {
    const [one, other] = [watched(), watched(new Error('the disk'))];
    await expect(join(one.rows, other.rows)).rejects.toThrow('the disk');
    expect([one.state, other.state]).toEqual([{ isClosed: true }, { isClosed: true }]);
  });

  it('are closed when nobody wants more of it', async () => {
    const rows = users(10);
    const sides = [0, 1].map(() => ({ isClosed: false }));
    async function* closing(state: { isClosed: boolean } | undefined): Rows {
      try {
        yield* batches(rows, 1);
      } finally {
        if (state) state.isClosed = true;
      }
    }
    const partitions = () => new Partitions('nowhere');
    for await (const _ of joinByKey({
      before: closing(sides[0]),
      after: closing(sides[1]),
      keyOf,
      partitions,
    }))
      break;
    expect(sides).toEqual([{ isClosed: true }, { isClosed: true }]);
  });
});
