import type { Manifest } from '../lake/manifest.js';
import type { Source } from '../lake/source.js';
import { organizationSettings } from '../streams/organization-settings.js';
import { type DayComparison, movementBetween, settingChangesBetween } from './compare-days.js';
import type { Gap, Movement, ReportData, ReportDay, SettingChange } from './data.js';
import { dayCounts, emptyDay, membershipsIn } from './day-counts.js';
import { earlierGaps, gapOfNothing } from './gaps.js';
import { neighboursOf } from './neighbours.js';
import { daysBetween, publishedDays } from './published-days.js';
import { shown } from './shown.js';

interface HistoryRequest {
  source: Source;
  /** Default: the first day that was published. */
  since: string | undefined;
  /** The organisations to be counted one by one. */
  largest: readonly string[];
  /** Changes to be shown. */
  limit: number;
  /** A local folder for temporary files. */
  scratch: string;
  signal: AbortSignal | undefined;
}

export type History = Pick<ReportData, 'days' | 'movements' | 'settingChanges'> & {
  readonly gaps: readonly Gap[];
};

/**
 * What was on each day until that of a snapshot, and what happened in between. A day is compared with the neighbour of which the same
 * was read, however many days are between them.
 */
export async function historyUntil(request: HistoryRequest): Promise<History> {
  const { source, since, largest, limit, signal } = request;
  const days: ReportDay[] = [];
  const gaps: Gap[] = [];
  const whole: string[] = [];
  const settings = neighboursOf(organizationSettings);
  for await (const { date, manifest } of publishedDays({
    ...source,
    since,
    until: source.manifest.run_date,
  })) {
    signal?.throwIfAborted();
    const before = days.at(-1)?.date;
    for (const missing of before === undefined ? [] : daysBetween(before, date)) {
      days.push(emptyDay(missing, 'no_snapshot', largest));
      gaps.push(gapOfNothing(missing, 'no_snapshot'));
    }
    days.push(manifest ? dayCounts(manifest, largest) : emptyDay(date, 'unreadable', largest));
    if (!manifest) gaps.push(gapOfNothing(date, 'unreadable'));
    else {
      if (date !== source.manifest.run_date) gaps.push(...earlierGaps(manifest));
      if (isWhole(manifest)) whole.push(date);
      settings.add(manifest);
    }
  }
  const comparison: DayComparison = request;
  const movements: Movement[] = [];
  for (const [i, to] of whole.entries()) {
    const from = whole[i - 1];
    if (from !== undefined) movements.push(await movementBetween({ from, to }, comparison));
  }
  const changes = shown<SettingChange>(limit);
  for (const pair of settings.pairs())
    for await (const change of settingChangesBetween(pair, comparison)) changes.add(change);
  return { days, gaps, movements, settingChanges: changes.get() };
}

/** Whether a day has the files of all memberships. */
const isWhole = (manifest: Manifest): boolean =>
  manifest.status !== 'pruned' && membershipsIn(manifest) !== null;
