import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChangeRow,
  changesSchema,
  compact,
  compareSnapshots,
  createSink,
  type DiffOptions,
  decodeFile,
  diffSnapshots,
  LocalStorage,
  prune,
  systemClock,
} from '../../src/index.js';
import { runs } from '../property-runs.js';
import { temporaryFolder } from '../run/support/tree.js';
import { asSet, asTexts } from './support/as-set.js';
import { type Day, type MadeUpApi, startMadeUpApi } from './support/made-up-api.js';
import { madeUpDay, madeUpHistory } from './support/made-up-days.js';
import { referenceDiff } from './support/reference.js';
import { take } from './support/take.js';

const DATES = ['2026-11-20', '2026-11-22', '2026-11-23', '2026-11-24'];
const [FROM, TO] = DATES.slice(1, 3) as [string, string];

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

async function rowsOf(changes: AsyncIterable<ChangeRow[]>): Promise<ChangeRow[]> {
  const rows: ChangeRow[] = [];
  for await (const batch of changes) rows.push(...batch);
  return rows;
}

async function changesIn(root: string, options: Partial<DiffOptions> = {}): Promise<ChangeRow[]> {
  const scratch = join(root, '_staging');
  const storage = new LocalStorage(root);
  return rowsOf((await diffSnapshots({ storage, scratch, from: FROM, to: TO, ...options })).changes());
}

const format = fc.constantFrom('parquet', 'arrow', 'csv', 'ndjson');
const layout = fc.constantFrom('per-org' as const, 'per-date' as const);
const rowsPerFile = fc.constantFrom(2, 500_000);

describe('what differs between two days', () => {
  it('is what a slow and obvious comparison finds between any two days of a history', async () => {
    const how = fc.record({
      format,
      layouts: fc.tuple(layout, layout, layout, layout),
      rowsPerFile,
      compacted: fc.subarray(DATES),
      kept: fc.constantFrom(1, 2, 5),
    });
    await fc.assert(
      fc.asyncProperty(
        madeUpHistory(4),
        how,
        async (days, { format, layouts, rowsPerFile, compacted, kept }) => {
          await using root = await temporaryFolder();
          const storage = new LocalStorage(root.path);
          const sink = createSink(format);
          for (const [i, day] of days.entries())
            await take(api, storage, day, {
              runDate: DATES[i] as string,
              sink,
              layout: layouts[i] ?? 'per-org',
              rowsPerFile,
            });
          for (const runDate of compacted) await compact({ storage, runDate });
          const clock = { ...systemClock, now: () => Date.parse('2026-11-24T12:00:00Z') };
          const { pruned } = await prune({ storage, keepDays: kept, clock });
          for (const [i, from] of DATES.entries())
            for (const [j, to] of DATES.entries()) {
              if (j <= i) continue;
              const found = changesIn(root.path, { from, to });
              if (pruned.some(({ runDate }) => runDate === from || runDate === to))
                await expect(found).rejects.toMatchObject({ code: 'snapshot_pruned' });
              else expect(asSet(await found)).toEqual(asSet(referenceDiff(days[i] as Day, days[j] as Day)));
            }
        },
      ),
      { numRuns: runs(8) },
    );
  }, 120_000);

  it('is the same, in the same order, between two roots of any formats and layouts, whatever the order of the lists', async () => {
    const how = fc.record({
      formats: fc.tuple(format, format),
      layouts: fc.tuple(layout, layout),
      rowsPerFile,
    });
    const reversed = (day: Day): Day => ({
      ...day,
      lists: Object.fromEntries(
        Object.entries(day.lists).map(([name, records]) => [
          name,
          name === 'organizations' ? records : records.toReversed(),
        ]),
      ),
    });
    await fc.assert(
      fc.asyncProperty(madeUpHistory(2), how, how, async (history, ...hows) => {
        const found: ChangeRow[][] = [];
        for (const [n, { formats, layouts, rowsPerFile }] of hows.entries()) {
          await using folder = await temporaryFolder();
          const sides = [];
          for (const [i, made] of history.entries()) {
            const day = i === 1 && n === 1 ? reversed(made) : made;
            const storage = new LocalStorage(join(folder.path, String(i)));
            const [sink, layout = 'per-org'] = [createSink(formats[i] ?? ''), layouts[i]];
            const manifest = await take(api, storage, day, {
              runDate: DATES[i] as string,
              sink,
              layout,
              rowsPerFile,
            });
            sides.push({ storage, manifest });
          }
          const [before, after] = sides as [(typeof sides)[0], (typeof sides)[0]];
          const scratch = join(folder.path, 'scratch');
          found.push(await rowsOf(compareSnapshots({ before, after, scratch })));
          expect(await readdir(join(scratch, 'tmp'))).toEqual([]);
        }
        expect(asSet(found[0] ?? [])).toEqual(asSet(referenceDiff(...(history as [Day, Day]))));
        expect(asTexts(found[1] ?? [])).toEqual(asTexts(found[0] ?? []));
      }),
      { numRuns: runs(8) },
    );
  }, 120_000);

  it('is nothing when nothing changed, and then no list is read', async () => {
    const [day] = fc.sample(
      madeUpDay.filter(
        ({ failing, asked, streams, lists: { organizations = [] } }) =>
          failing.length === 0 && !asked && !streams && organizations.length > 1,
      ),
      { numRuns: 1, seed: 7 },
    );
    await using root = await temporaryFolder();
    for (const runDate of [FROM, TO]) await take(api, new LocalStorage(root.path), day as Day, { runDate });
    const read: string[] = [];
    class Watched extends LocalStorage {
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        read.push(key);
        yield* super.read(key);
      }
    }
    expect(await changesIn(root.path, { storage: new Watched(root.path) })).toEqual([]);
    expect(read.filter((key) => !key.startsWith('_runs/'))).toEqual([]);
  });

  it('can be written by every sink', async () => {
    const [before, after] = fc.sample(
      madeUpDay.filter(({ streams }) => !streams),
      { numRuns: 2, seed: 3 },
    ) as [Day, Day];
    await using root = await temporaryFolder();
    await take(api, new LocalStorage(root.path), before, { runDate: FROM });
    await take(api, new LocalStorage(root.path), after, { runDate: TO });
    const rows = await changesIn(root.path);
    expect(rows.length).toBeGreaterThan(10);
    for (const format of ['ndjson', 'csv', 'parquet', 'arrow']) {
      const bytes = createSink(format).encode(
        changesSchema,
        (async function* () {
          yield rows;
        })(),
      );
      const decoded = [];
      for await (const batch of decodeFile({
        format,
        path: `changes.${format}`,
        schema: changesSchema,
        bytes,
      }))
        decoded.push(...batch);
      expect(decoded).toEqual(rows);
    }
  });
});
