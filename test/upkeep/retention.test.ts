import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Keepable, type KeepSettings, keepReasons } from '../../src/upkeep/retention.js';

const TODAY = '2026-11-23'; // a Monday

const complete = ['organizations', 'users'];
const on = (...runDates: string[]): Keepable[] => runDates.map((runDate) => ({ runDate, complete }));

/** The run dates that are kept, the oldest first. */
const kept = (published: readonly Keepable[], rules: KeepSettings): string[] =>
  [...keepReasons(published, rules, TODAY)]
    .filter(([, reasons]) => reasons.length > 0)
    .map(([runDate]) => runDate)
    .sort();

/** Every day of so many years before today. */
function everyDay(years: number): Keepable[] {
  const days = years * 365;
  const dates = Array.from({ length: days }, (_, i) => Date.parse(TODAY) - i * 24 * 60 * 60 * 1000);
  return on(...dates.map((ms) => new Date(ms).toISOString().slice(0, 10)).reverse());
}

describe('what is kept', () => {
  it.each<[KeepSettings, string[]]>([
    [{ keepDays: 3 }, ['2026-11-21', '2026-11-22', '2026-11-23']],
    [{ keepDaily: 2 }, ['2026-11-22', '2026-11-23']],
    // The Sundays, and today, which is all that there is of its week.
    [{ keepWeekly: 3 }, ['2026-11-15', '2026-11-22', '2026-11-23']],
    [{ keepMonthly: 4 }, ['2026-08-31', '2026-09-30', '2026-10-31', '2026-11-23']],
    [{ keepYearly: 3 }, ['2024-12-31', '2025-12-31', '2026-11-23']],
    [{ keepYearly: 100, keepDaily: 1 }, ['2024-12-31', '2025-12-31', '2026-11-23']],
    [{ keepWeekly: 2, keepMonthly: 2 }, ['2026-10-31', '2026-11-22', '2026-11-23']],
  ])('of a snapshot on every day with %j is the last one of each period', (rules, expected) => {
    const dates = everyDay(3).filter(({ runDate }) => runDate >= '2024-06-01');
    expect(kept(dates, rules)).toEqual(expected);
  });

  it('counts periods that have a snapshot, not those of the calendar', () => {
    const dates = on('2020-03-01', '2023-05-06', '2026-01-01', '2026-01-02');
    expect(kept(dates, { keepDays: 30 })).toEqual(['2026-01-02']);
    expect(kept(dates, { keepDaily: 3 })).toEqual(['2023-05-06', '2026-01-01', '2026-01-02']);
    expect(kept(dates, { keepMonthly: 2 })).toEqual(['2023-05-06', '2026-01-02']);
  });

  it('is of a week from Monday to Sunday, also where the year changes', () => {
    // 2020-12-28 is a Monday, 2021-01-03 the Sunday of the same week.
    const dates = on('2020-12-27', '2020-12-28', '2020-12-31', '2021-01-01', '2021-01-03', '2021-01-04');
    expect(kept(dates, { keepWeekly: 3 })).toEqual(['2020-12-27', '2021-01-03', '2021-01-04']);
  });

  it('is the newest complete snapshot of each stream of a period, not what failed after it', () => {
    const published = [
      { runDate: '2026-10-05', complete: ['organizations', 'users', 'roles'] },
      { runDate: '2026-10-30', complete: ['organizations', 'users'] },
      { runDate: '2026-10-31', complete: [] },
      { runDate: '2026-11-02', complete: ['organizations', 'users', 'roles'] },
    ];
    expect(kept(published, { keepMonthly: 2 })).toEqual(['2026-10-05', '2026-10-30', '2026-11-02']);
  });

  it('is the newest of a period without any complete one', () => {
    const published = ['2026-10-30', '2026-10-31'].map((runDate) => ({ runDate, complete: [] }));
    expect(kept([...published, ...on('2026-11-02')], { keepMonthly: 2 })).toEqual([
      '2026-10-31',
      '2026-11-02',
    ]);
  });

  it('is all that is dated after today, which takes the place of nothing', () => {
    expect(kept(on('2026-11-21', '2026-11-22', '2026-11-24', '2062-01-01'), { keepDaily: 1 })).toEqual([
      '2026-11-22',
      '2026-11-24',
      '2062-01-01',
    ]);
  });

  it('has each of its reasons', () => {
    const rules = { keepDays: 1, keepDaily: 2, keepWeekly: 2, keepMonthly: 1, keepYearly: 9 };
    const reasons = keepReasons(on('2026-11-20', '2026-11-22', TODAY), rules, TODAY);
    expect(Object.fromEntries(reasons)).toEqual({
      '2026-11-20': [],
      '2026-11-22': [
        { rule: 'daily', detail: '2 of 2' },
        { rule: 'weekly', detail: '2 of 2' },
      ],
      '2026-11-23': [
        { rule: 'days', detail: 'since 2026-11-23' },
        { rule: 'daily', detail: '1 of 2' },
        { rule: 'weekly', detail: '1 of 2' },
        { rule: 'monthly', detail: '1 of 1' },
        { rule: 'yearly', detail: '1 of 9' },
        { rule: 'newest', detail: 'organizations, users' },
      ],
    });
  });
});

const day = fc
  .integer({ min: Date.parse('2024-12-20') / 86_400_000, max: Date.parse('2026-12-01') / 86_400_000 })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
const someStreams = fc.subarray(['organizations', 'users', 'roles', 'groups']);
const snapshots = fc.uniqueArray(fc.record({ runDate: day, complete: someStreams }), {
  selector: ({ runDate }) => runDate,
  maxLength: 60,
});
const number = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const rules: fc.Arbitrary<KeepSettings> = fc.record({
  keepDays: number,
  keepDaily: number,
  keepWeekly: number,
  keepMonthly: number,
  keepYearly: number,
});

describe('whatever the snapshots and the rules are', () => {
  it('a rule more, or a larger number, never keeps less', () => {
    fc.assert(
      fc.property(snapshots, rules, rules, (published, some, more) => {
        const both = Object.fromEntries(
          Object.entries(some).map(([rule, value]) => {
            const other = more[rule as keyof KeepSettings];
            return [rule, value === undefined ? other : Math.max(value, other ?? 0)];
          }),
        );
        expect(kept(published, both)).toEqual(expect.arrayContaining(kept(published, some)));
      }),
    );
  });

  it('what was kept is kept again when the rest is gone', () => {
    fc.assert(
      fc.property(snapshots, rules, (published, given) => {
        const once = kept(published, given);
        const left = published.filter(({ runDate }) => once.includes(runDate));
        expect(kept(left, given)).toEqual(once);
      }),
    );
  });

  it('the newest complete snapshot of each stream up to today is kept', () => {
    fc.assert(
      fc.property(snapshots, rules, (published, given) => {
        const dates = kept(published, given);
        for (const stream of ['organizations', 'users', 'roles', 'groups']) {
          const holders = published.filter(
            ({ runDate, complete }) => runDate <= TODAY && complete.includes(stream),
          );
          const newest = holders
            .map(({ runDate }) => runDate)
            .sort()
            .at(-1);
          if (newest !== undefined) expect(dates).toContain(newest);
        }
      }),
    );
  });

  it('each of the newest days, weeks, months and years that have a snapshot keeps one', () => {
    const isoWeek = (date: string): string => {
      // Of the Thursday of its week, by the days of its year (ISO 8601).
      const thursday = new Date(date);
      thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
      const year = thursday.getUTCFullYear();
      return `${year}-W${String(Math.ceil(((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7)).padStart(2, '0')}`;
    };
    const periods = [
      ['keepDaily', (date: string) => date],
      ['keepWeekly', isoWeek],
      ['keepMonthly', (date: string) => date.slice(0, 7)],
      ['keepYearly', (date: string) => date.slice(0, 4)],
    ] as const;
    fc.assert(
      fc.property(snapshots, rules, (published, given) => {
        const dates = kept(published, given);
        for (const [rule, periodOf] of periods) {
          const past = published.map(({ runDate }) => runDate).filter((date) => date <= TODAY);
          const wanted = [...new Set(past.map(periodOf))]
            .sort()
            .reverse()
            .slice(0, given[rule] ?? 0);
          expect(dates.map(periodOf)).toEqual(expect.arrayContaining(wanted));
        }
      }),
    );
  });
});
