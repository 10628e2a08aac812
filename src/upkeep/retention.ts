import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { streams } from '../streams/index.js';

const periods = { daily: 'days', weekly: 'weeks', monthly: 'months', yearly: 'years' } as const;
type Period = keyof typeof periods;

const keepPeriods = (period: Period) =>
  z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe(
      period === 'daily'
        ? 'So many of the newest snapshots are kept, however old they are.'
        : `Of so many of the newest ${periods[period]} that have a snapshot, the newest complete one of each stream is kept.`,
    );

/** The rules of what is kept; the flags of `prune` are made from it. */
export const keepSettings = z.object({
  keepDays: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe(
      "Days whose snapshots are kept: 1 is today's (UTC), 30 is today's and those of the 29 days before.",
    ),
  keepDaily: keepPeriods('daily'),
  keepWeekly: keepPeriods('weekly'),
  keepMonthly: keepPeriods('monthly'),
  keepYearly: keepPeriods('yearly'),
});
export type KeepSettings = z.infer<typeof keepSettings>;

/** Why a snapshot is kept. */
export interface KeepReason {
  /** `newest`: of a stream, complete; `future`: it is dated after today. Both are kept without being asked for. */
  rule: 'days' | Period | 'newest' | 'future';
  /** `2 of 7` of a period; `since` and a date of days; the streams of the newest; empty of the future. */
  detail: string;
}

/** A snapshot whose files are there. */
export interface Keepable {
  runDate: string;
  /** The streams that it holds completely. */
  complete: readonly string[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
const dateAt = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What the run dates of a period have in common. Weeks begin on Monday. */
const periodOf: Record<Period, (runDate: string) => string> = {
  daily: (runDate) => runDate,
  weekly(runDate) {
    const date = new Date(runDate);
    return dateAt(date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY_MS);
  },
  monthly: (runDate) => runDate.slice(0, 7),
  yearly: (runDate) => runDate.slice(0, 4),
};

/** @throws ConfigError `keep_missing` when no rule is given: nearly everything would be pruned */
export function checkRules(rules: KeepSettings): void {
  if (Object.keys(keepSettings.shape).some((rule) => rules[rule as keyof KeepSettings] !== undefined)) return;
  throw new ConfigError(
    'Missing rule of what is kept. Give one or several of --keep-days, --keep-daily, --keep-weekly, --keep-monthly and --keep-yearly.',
    { code: 'keep_missing' },
  );
}

/**
 * Why each snapshot is kept; what has no reason is to be pruned. Each rule looks at all snapshots, whatever the others keep,
 * so one more rule never keeps less.
 * @param today the last run date that is not of the future: one that was given such a date by mistake protects no other
 */
export function keepReasons(
  published: readonly Keepable[],
  rules: KeepSettings,
  today: string,
): Map<string, KeepReason[]> {
  const reasons = new Map<string, KeepReason[]>(published.map(({ runDate }) => [runDate, []]));
  const keep = (runDate: string, reason: KeepReason) => reasons.get(runDate)?.push(reason);
  const newestFirst = published.toSorted((a, b) => (a.runDate < b.runDate ? 1 : -1));
  const past = newestFirst.filter(({ runDate }) => runDate <= today);
  for (const { runDate } of newestFirst) if (runDate > today) keep(runDate, { rule: 'future', detail: '' });

  const { keepDays, keepDaily, keepWeekly, keepMonthly, keepYearly } = rules;
  if (keepDays !== undefined) {
    const since = keptSince(keepDays, today);
    for (const { runDate } of past)
      if (runDate >= since) keep(runDate, { rule: 'days', detail: `since ${since}` });
  }
  const counts = { daily: keepDaily, weekly: keepWeekly, monthly: keepMonthly, yearly: keepYearly };
  for (const [name, count = 0] of Object.entries(counts)) {
    const period = name as Period;
    const groups = grouped(past, periodOf[period]);
    for (const [i, group] of [...groups.values()].slice(0, count).entries())
      for (const runDate of newestOf(group).keys())
        keep(runDate, { rule: period, detail: `${i + 1} of ${count}` });
  }
  for (const [runDate, names] of newestOf(past)) keep(runDate, { rule: 'newest', detail: names.join(', ') });
  return reasons;
}

/** The snapshots of each period, both newest first. */
function grouped(
  snapshots: readonly Keepable[],
  groupOf: (runDate: string) => string,
): Map<string, Keepable[]> {
  const groups = new Map<string, Keepable[]>();
  for (const one of snapshots) {
    const group = groupOf(one.runDate);
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  return groups;
}

/** The first run date that `keepDays` keeps. */
const keptSince = (keepDays: number, today: string): string =>
  dateAt(Date.parse(today) - (keepDays - 1) * DAY_MS);

/** Whether a snapshot is kept for its date alone, even if it cannot be read. */
export const isKeptByAge = (runDate: string, { keepDays }: KeepSettings, today: string): boolean =>
  runDate > today || (keepDays !== undefined && runDate >= keptSince(keepDays, today));

/**
 * The run dates of the newest complete snapshot of each stream, with these streams; the newest of all where none is complete.
 * @param snapshots newest first
 */
function newestOf(snapshots: readonly Keepable[]): Map<string, string[]> {
  const newest = new Map<string, string[]>();
  for (const { name } of streams) {
    const found = snapshots.find(({ complete }) => complete.includes(name));
    if (found) newest.set(found.runDate, [...(newest.get(found.runDate) ?? []), name]);
  }
  const [first] = snapshots;
  if (newest.size === 0 && first) newest.set(first.runDate, ['of all, and none is complete']);
  return newest;
}
