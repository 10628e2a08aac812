import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSink,
  LocalStorage,
  listStates,
  type Manifest,
  type ParentKey,
  type Stream,
  streams,
} from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpHistory } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { runs } from '../property-runs.js';
import { temporaryFolder } from '../run/support/tree.js';
import { claudeCompliance } from '../warehouse/support/command.js';
import { query } from '../warehouse/support/duckdb-file.js';
import { pairDays } from './support/pairs.js';
import { type DatedDay, referenceHistory } from './support/reference.js';
import { duckdbMicros, expectedTexts, historyQuery, viewTexts } from './support/view-rows.js';

const DATES = ['2026-11-18', '2026-11-20', '2026-11-21', '2026-11-22', '2026-11-24'];

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** Whose list a row is from. */
const parentIn = ({ schema, key }: Stream, row: Record<string, unknown>): ParentKey =>
  Object.fromEntries(
    schema.primaryKey.filter((name) => !key.includes(name)).map((name) => [name, String(row[name])]),
  );

describe('the histories in DuckDB', () => {
  it('are what a slow and obvious one says of any days, in whatever order they are loaded, with the reasons of the library', async () => {
    const how = fc.record({
      formats: fc.array(fc.constantFrom('parquet', 'ndjson', 'csv'), {
        minLength: DATES.length,
        maxLength: DATES.length,
      }),
      order: fc.shuffledSubarray([...DATES.keys()], { minLength: DATES.length - 1 }),
    });
    let intervals = 0;
    await fc.assert(
      fc.asyncProperty(madeUpHistory(DATES.length), how, async (history, { formats, order }) => {
        await using folder = await temporaryFolder();
        const database = join(folder.path, 'history.duckdb');
        const manifests = new Map<string, Manifest>();
        for (const i of [...order, order[0] as number]) {
          const [runDate = '', format = ''] = [DATES[i], formats[i]];
          const root = join(folder.path, String(i));
          const day = history[i] as DatedDay['day'];
          const storage = new LocalStorage(root);
          manifests.set(runDate, await take(api, storage, day, { runDate, sink: createSink(format) }));
          const flags = ['--database', database, '--state', join(folder.path, 'state'), '--from', root];
          const ended = await claudeCompliance([
            'load',
            'duckdb',
            ...flags,
            '--run-date',
            runDate,
            '--allow-incomplete',
          ]);
          expect(ended.stderr).toBe('');
        }
        const days = [...order]
          .sort()
          .map((i) => ({ date: DATES[i] as string, day: history[i] as DatedDay['day'] }));
        const expected = referenceHistory(days);
        intervals += expected.length;
        for (const stream of streams) {
          const rows = await query(database, historyQuery(stream, 'main', duckdbMicros));
          expect(viewTexts(stream, rows)).toEqual(expectedTexts(stream, expected));
          for (const { valid_from, state, reason, ...row } of rows) {
            const manifest = manifests.get(String(valid_from)) as Manifest;
            const list = listStates(manifest)(stream, parentIn(stream, row));
            expect([state, reason]).toEqual(
              list.state === 'unknown' ? ['unknown', list.reason] : ['present', null],
            );
          }
        }
      }),
      { numRuns: runs(4) },
    );
    expect(intervals).toBeGreaterThan(15);
  }, 180_000);

  it.each([
    ['parquet', 'parquet'],
    ['ndjson', 'csv'],
    ['parquet', 'ndjson'],
  ])('compare every value with every other as the library does, from %s to %s', async (...formats) => {
    await using folder = await temporaryFolder();
    const database = join(folder.path, 'pairs.duckdb');
    for (const [i, { date, day }] of pairDays.entries()) {
      const root = join(folder.path, date);
      const sink = createSink(formats[i] as string);
      await take(api, new LocalStorage(root), day, { runDate: date, sink });
      const flags = ['--database', database, '--state', join(folder.path, 'state'), '--from', root];
      expect((await claudeCompliance(['load', 'duckdb', ...flags])).stderr).toBe('');
    }
    const expected = referenceHistory(pairDays);
    expect(expected.length).toBeGreaterThan(3000);
    for (const stream of streams) {
      const rows = await query(database, historyQuery(stream, 'main', duckdbMicros));
      expect(viewTexts(stream, rows)).toEqual(expectedTexts(stream, expected));
    }
  });
});
