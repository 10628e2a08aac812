import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compact,
  createSink,
  LocalStorage,
  type Manifest,
  prune,
  type ReportData,
  type ReportOptions,
  reportData,
  systemClock,
} from '../../src/index.js';
import { type Day, type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpHistory } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { temporaryFolder } from '../run/support/tree.js';
import {
  canonical,
  type PublishedDay,
  referenceAccess,
  referenceDays,
  referenceGaps,
  referenceMovements,
  referenceSettingChanges,
} from './support/reference.js';

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** With a day that nothing was published on between them. */
const DATES = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-24', '2026-11-25'];

const reportOf = (root: string, options: Partial<ReportOptions> = {}): Promise<ReportData> =>
  reportData({ storage: new LocalStorage(root), scratch: join(root, '_staging'), ...options });

describe('what a report shows', () => {
  it('is what a slow and obvious reference finds in any history, whatever the format and the layout', async () => {
    const how = fc.record({
      format: fc.constantFrom('parquet', 'arrow', 'csv', 'ndjson'),
      layout: fc.constantFrom('per-org' as const, 'per-date' as const),
      compacted: fc.subarray(DATES),
      kept: fc.constantFrom(2, 4, 5, 9),
      first: fc.constantFrom(0, 0, 1, 2),
    });
    await fc.assert(
      fc.asyncProperty(madeUpHistory(5), how, async (history, { format, layout, compacted, kept, first }) => {
        await using root = await temporaryFolder();
        const storage = new LocalStorage(root.path);
        const sink = createSink(format);
        let manifest: Manifest | undefined;
        for (const [i, day] of history.entries())
          manifest = await take(api, storage, day, { runDate: DATES[i] as string, sink, layout });
        for (const runDate of compacted) await compact({ storage, runDate });
        const clock = { ...systemClock, now: () => Date.parse('2026-11-25T12:00:00Z') };
        const pruned = (await prune({ storage, keepDays: kept, clock })).pruned.map(({ runDate }) => runDate);
        const published = history
          .map((day, i): PublishedDay => {
            const date = DATES[i] as string;
            return { date, day, isPruned: pruned.includes(date) };
          })
          .slice(first);
        const last = history.at(-1) as Day;

        const report = await reportOf(root.path, first > 0 ? { since: DATES[first] } : {});
        expect(report.runDate).toBe(DATES.at(-1));
        expect(report.days).toEqual(
          referenceDays(
            published,
            report.largest.map(({ uuid }) => uuid),
          ),
        );
        expect(report.movements).toEqual(referenceMovements(published));
        expect(settingChanges(report)).toEqual(referenceSettingChanges(published));
        expect(gaps(report)).toEqual(referenceGaps(published));
        expectAccess(report, last, manifest as Manifest);
      }),
      { numRuns: 40 },
    );
  }, 240_000);
});

/** Without the columns that a reader does not look at first. */
const settingChanges = ({ settingChanges: { rows, total } }: ReportData): string[] => {
  expect(total).toBe(rows.length);
  return rows
    .filter(({ field }) => field === null || field === 'value')
    .map(({ from, to, organization, name, change, before, after }) =>
      [from, to, organization, name, change, canonical(before), canonical(after)].join(' '),
    )
    .sort();
};

const gaps = ({ gaps: { rows } }: ReportData): string[] =>
  rows.map(({ date, stream, list, lists }) => `${date} ${stream ?? '-'} ${list ?? '-'} ${lists}`).sort();

function expectAccess(report: ReportData, day: Day, manifest: Manifest): void {
  const expected = referenceAccess(day, manifest);
  const ids = (rows: readonly { id: string }[]) => [...new Set(rows.map(({ id }) => id))].sort();
  const keys = (rows: ReportData['admins']['rows']) =>
    rows.map(({ id, organization }) => `${id} ${organization}`).sort();
  expect(report.people).toBe(expected.people.length);
  expect(
    report.memberships.rows
      .map(
        ({ id, organization, name, email, role }) =>
          `${id} ${organization} ${name ?? ''} ${email ?? ''} ${role ?? ''}`,
      )
      .sort(),
  ).toEqual(expected.memberships);
  expect(report.memberships.total).toBe(expected.memberships.length);
  expect(keys(report.admins.rows)).toEqual(expected.admins);
  expect(ids(report.several.rows)).toEqual(expected.several);
  expect(ids(report.blanket.rows)).toEqual(expected.blanket);
  expect(report.blanket.people).toBe(expected.blanket.length);
  expect(ids(report.orphans.rows)).toEqual(expected.orphans);
  for (const { uuid, members, byRole, hasOwner } of report.organizations) {
    expect(hasOwner, uuid).toBe(expected.owned(uuid));
    if (members === null) expect(byRole.every((n) => n === 0)).toBe(true);
    else expect(byRole.reduce((sum, n) => sum + n, 0)).toBe(members);
  }
  const members = report.organizations.reduce((sum, one) => sum + (one.members ?? 0), 0);
  expect(members).toBe(expected.memberships.length);
}
