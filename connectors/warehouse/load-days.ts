import {
  ComplianceError,
  ConfigError,
  checkLog,
  currentOf,
  type Failure,
  type Log,
  type Manifest,
  readLog,
  runDatesOf,
  type Storage,
  withScratch,
} from '../../src/index.js';
import type { Context } from '../kit/command.js';
import { count, counted } from '../kit/counts.js';
import { openDayProgress } from '../kit/day-progress.js';
import { openRoot } from '../kit/root.js';
import type { RunReport } from '../kit/run-report.js';
import type { Loader } from './loader.js';
import { type DateRange, type LoadSettings, stagingOf } from './settings.js';
import { chooseSnapshot, explainChange } from './source/snapshot-source.js';

interface DaysRequest {
  range: DateRange;
  settings: LoadSettings;
  loader: Loader;
  context: Context;
  report: Pick<RunReport, 'took'>;
}

/** A day that was not loaded, and why. */
interface FailedDay {
  runDate: string;
  code: string;
  message: string;
  failure: Failure;
}

/** What became of the days. */
interface Days {
  loaded: Pick<Manifest, 'run_date' | 'status'>[];
  unchanged: string[];
  pruned: string[];
  failed: FailedDay[];
  /** What a loader had to say of a day. */
  notes: string[];
}

/**
 * Loads every snapshot of a range, the oldest first, but for those that were loaded unchanged. One that fails does not
 * lose the others.
 * @returns the exit code
 * @throws ConfigError `snapshot_missing`, StorageError `log_damaged`, and what the warehouse throws before the first day
 */
export async function loadDays({ range, settings, loader, context, report }: DaysRequest): Promise<number> {
  const storage = await openRoot({ ...settings, out: settings.from ?? '' });
  const log = await readLog(storage);
  checkLog(log, storage);
  const runDates = datesIn(range, log, storage);
  const held = await loader.held();
  const days: Days = { loaded: [], unchanged: [], pruned: [], failed: [], notes: [] };
  const progress = openDayProgress(settings.progress, { days: runDates.length, stderr: context.stderr });
  try {
    for (const runDate of runDates) {
      context.signal.throwIfAborted();
      const entry = currentOf(log, runDate);
      if (entry?.action === 'prune') days.pruned.push(runDate);
      else if (entry?.manifest_sha256 === held.get(runDate)) days.unchanged.push(runDate);
      else await loadDay(runDate);
      progress.done(runDate);
    }
  } finally {
    progress.close();
  }
  context.stdout.write(`${summary(days, loader)}\n`);
  return exitCode(days);

  async function loadDay(runDate: string): Promise<void> {
    const { streams, allowIncomplete } = settings;
    try {
      const source = await chooseSnapshot({ storage, runDate, streams, allowIncomplete, log });
      const staging = stagingOf(settings, context.environment);
      const notes = await withScratch(staging, (scratch) =>
        explainChange(source, () => loader.load({ source, scratch })),
      );
      days.loaded.push(source.manifest);
      report.took(source.manifest);
      days.notes.push(...notes.map((note) => `${runDate}: ${note}`));
    } catch (error) {
      if (!(error instanceof ComplianceError) || context.signal.aborted) throw error;
      const { code, message, failure } = error;
      days.failed.push({ runDate, code, message, failure });
      progress.failed({ runDate, code, message });
    }
  }
}

/** The run dates of a range, the oldest first. */
function datesIn({ first, last }: DateRange, log: Log, { location }: Storage): string[] {
  const runDates = runDatesOf(log)
    .filter((date) => date >= first && date <= last)
    .reverse();
  if (runDates.length > 0) return runDates;
  throw new ConfigError(
    `There is no snapshot of these days in ${location}. Check --from, or choose another --run-date.`,
    { code: 'snapshot_missing' },
  );
}

/** Lines of a kind: a range may have years of days. */
const MAX_NAMED = 10;

function summary({ loaded, unchanged, pruned, failed, notes }: Days, { target }: Loader): string {
  const counts = [
    `${counted(loaded.length, 'snapshot')} loaded`,
    `${count(unchanged.length)} unchanged`,
    ...(pruned.length > 0 ? [`${count(pruned.length)} pruned`] : []),
    ...(failed.length > 0 ? [`${count(failed.length)} not loaded`] : []),
  ];
  const incomplete = loaded.filter(({ status }) => status === 'incomplete');
  const lines = [
    ...named(notes),
    ...named(incomplete.map(({ run_date }) => `${run_date}: incomplete, the views leave it out`)),
    ...failed.map(({ runDate, message, code }) => `${runDate}: not loaded. ${message} [${code}]`),
  ];
  return [counts.join(', '), `  in ${target}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

const named = (lines: readonly string[]): string[] =>
  lines.length <= MAX_NAMED
    ? [...lines]
    : [...lines.slice(0, MAX_NAMED), `and ${count(lines.length - MAX_NAMED)} more`];

function exitCode({ loaded, failed }: Days): number {
  if (failed.length === 0) return loaded.some(({ status }) => status === 'incomplete') ? 1 : 0;
  return failed.every(({ failure }) => failure === 'transient') ? 75 : 1;
}
