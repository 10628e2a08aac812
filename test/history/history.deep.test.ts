import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compact,
  createSink,
  directoryHistory,
  type HistoryOptions,
  type HistoryRow,
  LocalStorage,
  prune,
  type Subject,
  systemClock,
} from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpHistory, ORGANIZATIONS, PEOPLE } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { runs } from '../property-runs.js';
import { temporaryFolder } from '../run/support/tree.js';
import { asTexts, type DatedDay, type ExpectedInterval, referenceHistory } from './support/reference.js';

const DATES = ['2026-11-18', '2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23', '2026-11-24'];

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

async function historyIn(root: string, subject: Subject, options: Partial<HistoryOptions> = {}) {
  const storage = new LocalStorage(root);
  const scratch = join(root, '_staging');
  const found = await directoryHistory({ storage, subject, scratch, ...options });
  const rows: HistoryRow[] = [];
  for await (const batch of found.rows()) rows.push(...batch);
  expect(await readdir(join(scratch, 'tmp'))).toEqual([]);
  return { days: found.days, rows };
}

/** Of all records, those of a person or an organisation. */
function expectedOf(subject: Subject, all: readonly ExpectedInterval[]): ExpectedInterval[] {
  if ('organization' in subject)
    return all.filter(({ stream, key }) =>
      stream === 'organizations'
        ? key.uuid === subject.organization
        : key.organization_uuid === subject.organization,
    );
  const keys = new Set(
    all
      .filter(({ stream, record }) => stream === 'api_keys' && record?.created_by_id === subject.user)
      .map(({ key }) => key.id),
  );
  return all.filter(({ stream, key }) => {
    if (stream === 'api_keys') return keys.has(key.id);
    return (
      (stream === 'users' && key.id === subject.user) ||
      (stream === 'group_members' && key.user_id === subject.user)
    );
  });
}

describe('the history of a person or an organisation', () => {
  it('is what a slow and obvious one says of any days, in any format and layout', async () => {
    const layout = fc.constantFrom('per-org' as const, 'per-date' as const);
    const how = fc.record({
      format: fc.constantFrom('parquet', 'arrow', 'csv', 'ndjson'),
      layouts: fc.array(layout, { minLength: DATES.length, maxLength: DATES.length }),
      rowsPerFile: fc.constantFrom(2, 500_000),
      compacted: fc.subarray(DATES),
      kept: fc.constantFrom(3, 4, 9),
      since: fc.constantFrom(undefined, DATES[2], '2026-11-19'),
      until: fc.constantFrom(undefined, DATES[4]),
    });
    let intervals = 0;
    await fc.assert(
      fc.asyncProperty(madeUpHistory(DATES.length), how, async (history, options) => {
        const { format, layouts, rowsPerFile, compacted, kept, since, until } = options;
        await using root = await temporaryFolder();
        const storage = new LocalStorage(root.path);
        const sink = createSink(format);
        for (const [i, day] of history.entries())
          await take(api, storage, day, {
            runDate: DATES[i] as string,
            sink,
            layout: layouts[i] ?? 'per-org',
            rowsPerFile,
          });
        for (const runDate of compacted) await compact({ storage, runDate });
        const clock = { ...systemClock, now: () => Date.parse('2026-11-24T12:00:00Z') };
        const { pruned } = await prune({ storage, keepDays: kept, clock });
        const days = history
          .map((day, i): DatedDay => ({ date: DATES[i] as string, day }))
          .filter(({ date }) => !pruned.some(({ runDate }) => runDate === date))
          .filter(({ date }) => date >= (since ?? '') && date <= (until ?? date));
        const all = referenceHistory(days);
        intervals += all.length;
        const organizations = ORGANIZATIONS.filter((uuid) =>
          history.some(({ lists }) => lists.organizations?.some((one) => one.uuid === uuid)),
        );
        for (const subject of [
          ...organizations.map((organization) => ({ organization })),
          ...PEOPLE.slice(0, 3).map((user) => ({ user })),
        ]) {
          const expected = expectedOf(subject, all);
          const found = await historyIn(root.path, subject, { since, until }).catch((error: unknown) => {
            if ((error as { code?: string }).code === 'organization_not_listed') return undefined;
            throw error;
          });
          if (!found) expect(expected).toEqual([]);
          else {
            expect(found.days).toEqual(days.map(({ date }) => date));
            expect(asTexts(found.rows)).toEqual(asTexts(expected));
          }
        }
      }),
      { numRuns: runs(5) },
    );
    expect(intervals).toBeGreaterThan(20);
  }, 240_000);
});
