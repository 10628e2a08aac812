import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { joinByKey, type Pair } from '../../src/diff/join.js';
import type { Row } from '../../src/index.js';
import { Partitions } from '../../src/storage/partitions.js';
import { temporaryFolder } from '../run/support/tree.js';

const side = fc.uniqueArray(fc.record({ id: fc.string({ maxLength: 3 }), value: fc.string() }), {
  selector: ({ id }) => id,
});

async function* batches(rows: readonly Row[], size: number): AsyncGenerator<readonly Row[]> {
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
        keyOf: ({ id }) => String(id),
        waiting,
        partitions: async () => {
          places += 1;
          const place = join(folder.path, String(places));
          await mkdir(place);
          return new Partitions(place, { count: 3, buffered: 10 });
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
