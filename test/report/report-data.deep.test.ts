import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compact,
  createPseudonyms,
  createSink,
  erase,
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
import { runs } from '../property-runs.js';
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
      { numRuns: runs(5) },
    );
  }, 240_000);
});

const A = 'aaaaaaaa-0000-4000-8000-000000000000';
const B = 'bbbbbbbb-0000-4000-8000-000000000000';
const user = (id: string, organization_role = 'user') => ({
  id,
  full_name: id,
  email: `${id}@example.com`,
  organization_role,
});
/** Who is in the first and in the second organisation. */
const dayOf = (first: readonly string[], second: readonly string[], more: Partial<Day> = {}): Day => ({
  lists: {
    organizations: [
      { uuid: A, name: 'First' },
      { uuid: B, name: 'Second' },
    ],
    [`users/${A}`]: first.map((id) => user(id)),
    [`users/${B}`]: second.map((id) => user(id)),
    [`organization_settings/${A}`]: [{ name: 'mfa', type: 'boolean', value: first.length > 2 }],
    [`organization_settings/${B}`]: [],
  },
  failing: [],
  streams: ['organizations', 'users', 'organization_settings'],
  ...more,
});

describe('a gap in the evidence', () => {
  it('is no zero, nobody left in it, and what changed meanwhile is found between the days around it', async () => {
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    const failing = [`users/${A}`, `organization_settings/${A}`];
    const days: [string, Day][] = [
      ['2026-11-01', dayOf(['ada', 'bob'], ['cleo'])],
      // The first organisation cannot be read while ada moves, bob leaves, and dan and eve come.
      ['2026-11-02', dayOf([], ['cleo', 'ada'], { failing })],
      ['2026-11-04', dayOf([], ['cleo', 'ada'], { failing })],
      ['2026-11-05', dayOf(['dan', 'eve', 'fay'], ['cleo', 'ada'])],
    ];
    for (const [runDate, day] of days) await take(api, storage, day, { runDate });
    const report = await reportOf(root.path);
    expect(
      report.days.map(({ date, status, memberships, members }) => [date, status, memberships, members]),
    ).toEqual([
      ['2026-11-01', 'complete', 3, [2, 1]],
      ['2026-11-02', 'incomplete', null, ['not_read', 2]],
      ['2026-11-03', 'no_snapshot', null, ['not_read', 'not_read']],
      ['2026-11-04', 'incomplete', null, ['not_read', 2]],
      ['2026-11-05', 'complete', 5, [3, 2]],
    ]);
    expect(report.movements).toEqual([
      { from: '2026-11-01', to: '2026-11-05', joined: 3, left: 1, moved: 1, rose: 0, fell: 0, unknown: 0 },
    ]);
    expect(settingChanges(report)).toEqual([`2026-11-01 2026-11-05 ${A} mfa changed false true`]);
    expect(gaps(report).filter((gap) => !gap.startsWith('2026-11-05'))).toEqual([
      '2026-11-02 organization_settings - 1',
      '2026-11-02 users - 1',
      '2026-11-03 - - 0',
      '2026-11-04 organization_settings - 1',
      '2026-11-04 users - 1',
    ]);
  });

  it('is a day whose manifest was lost or changed, too', async () => {
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    const dates = ['2026-11-01', '2026-11-02', '2026-11-03'];
    for (const [i, runDate] of dates.entries())
      await take(api, storage, dayOf(['ada', 'bob'].slice(0, i + 1), []), { runDate });
    const folder = join(root.path, '_runs', `run_date=${dates[1]}`);
    for (const name of await readdir(folder)) await appendFile(join(folder, name), ' ');
    const report = await reportOf(root.path);
    expect(report.days.map(({ status, memberships }) => [status, memberships])).toEqual([
      ['complete', 1],
      ['unreadable', null],
      ['complete', 2],
    ]);
    expect(report.movements).toMatchObject([{ from: dates[0], to: dates[2], joined: 1, left: 0 }]);
    expect(gaps(report)).toContain('2026-11-02 - - 0');
  });

  it('is said of the snapshot itself: there may be more people, and an owner', async () => {
    await using root = await temporaryFolder();
    await take(api, new LocalStorage(root.path), dayOf(['ada'], ['cleo'], { failing: [`users/${B}`] }), {
      runDate: '2026-11-01',
    });
    const report = await reportOf(root.path);
    expect(report).toMatchObject({ people: 1, isEverybody: false, unknown: { users_not_read: 1 } });
    expect(report.organizations.map(({ name, members, hasOwner }) => [name, members, hasOwner])).toEqual([
      ['First', 1, false],
      ['Second', null, null],
    ]);
    expect(report.gaps.rows).toContainEqual({
      date: '2026-11-01',
      stream: 'users',
      list: B,
      lists: 1,
      reason: 'overloaded',
    });
  });
});

describe('a report', () => {
  it('is the same from any format and layout, and shows the same rows where it does not show all', async () => {
    const history = fc.sample(madeUpHistory(3), { numRuns: 1, seed: 11 })[0] as Day[];
    const last = dayOf(['ada', 'bob', 'cleo', 'dan'], ['bob', 'eve', 'fay']);
    const reports = [];
    for (const [format, layout] of [
      ['ndjson', 'per-org'],
      ['parquet', 'per-date'],
      ['csv', 'per-org'],
    ] as const) {
      await using root = await temporaryFolder();
      for (const [i, day] of [...history, last].entries()) {
        const options = { runDate: DATES[i] as string, sink: createSink(format), layout };
        await take(api, new LocalStorage(root.path), day, options);
      }
      const {
        root: _root,
        extractedAt,
        ...report
      } = await reportOf(root.path, { limits: { memberships: 3, rows: 2 } });
      reports.push(report);
    }
    const [first, ...others] = reports;
    expect(first?.memberships).toMatchObject({ total: 7, rows: { length: 3 } });
    expect(first?.gaps.rows).toHaveLength(2);
    for (const other of others) expect(other).toEqual(first);
  });

  it('looks back as far as it is asked to, and not beyond its own day', async () => {
    await using root = await temporaryFolder();
    for (const runDate of DATES) await take(api, new LocalStorage(root.path), dayOf([], []), { runDate });
    const some = await reportOf(root.path, { since: DATES[1], runDate: DATES[2] });
    expect(some.days.map(({ date }) => date)).toEqual(DATES.slice(1, 3));
    await expect(reportOf(root.path, { since: '2026-11-23', runDate: '2026-11-22' })).rejects.toMatchObject({
      code: 'dates_not_in_order',
    });
    await expect(reportOf(root.path, { runDate: '2026-11-23' })).rejects.toMatchObject({
      code: 'snapshot_missing',
    });
  });

  it('does not say of somebody who was erased from an earlier day that he joined', async () => {
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    await take(api, storage, dayOf(['user_ada', 'bob'], []), { runDate: '2026-11-01' });
    await erase({ storage, user: 'user_ada' });
    await take(api, storage, dayOf(['user_ada', 'bob', 'cleo'], []), { runDate: '2026-11-02', force: true });
    const report = await reportOf(root.path);
    expect(report.days.map(({ memberships }) => memberships)).toEqual([1, 3]);
    expect(report.movements).toMatchObject([{ joined: 1, left: 0, moved: 0, unknown: 1 }]);
  });

  it('has no name in it when names are replaced, and leaves nothing on the disk', async () => {
    await using root = await temporaryFolder();
    for (const runDate of DATES.slice(0, 2))
      await take(api, new LocalStorage(root.path), dayOf(['ada', 'bob'], ['ada']), { runDate });
    const pseudonyms = createPseudonyms({
      key: Buffer.alloc(32, 7),
      columns: ['email', 'full_name'],
      keepDomain: true,
    });
    const report = await reportOf(root.path, { pseudonyms });
    expect(report.pseudonyms).toEqual(pseudonyms.scheme);
    expect(report.memberships.rows.map(({ name, email }) => [name, email])).toContainEqual([
      pseudonyms.of('name', 'ada'),
      pseudonyms.of('email', 'ada@example.com'),
    ]);
    const { root: _root, ...rest } = report;
    // The id is `ada`, too.
    expect(JSON.stringify(rest).replaceAll('"id":"ada"', '')).not.toMatch(/\bada\b/);
    expect(await readdir(join(root.path, '_staging', 'tmp'))).toEqual([]);
  });
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
