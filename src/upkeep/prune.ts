import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { ComplianceError, type Failure } from '../errors.js';
import { publish, tidyDays, withDay } from '../lake/day.js';
import { existingLog } from '../lake/existing-log.js';
import { checkLog, currentOf, type Log, runDatesOf } from '../lake/log.js';
import { isComplete, type Manifest } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import { newRunId } from '../lake/paths.js';
import { parseSettings } from '../settings.js';
import type { Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import { rewritten, withoutSliceFiles } from './rewritten.js';

/** The settings of pruning; the flags of `prune` are made from it. */
export const pruneSettings = z.object({
  keepDays: z
    .int()
    .min(1)
    .max(36_500)
    .describe(
      "Days whose snapshots are kept: 1 is today's (UTC), 30 is today's and those of the 29 days before.",
    ),
  dryRun: z.boolean().default(false).describe('Report what would be removed, and remove nothing.'),
});
export type PruneSettings = z.infer<typeof pruneSettings>;

export interface PruneOptions extends Partial<PruneSettings> {
  keepDays: number;
  storage: Storage;
  signal?: AbortSignal;
  clock?: Clock;
}

/** The data files of one run date. */
export interface DatedFiles {
  runDate: string;
  files: number;
  bytes: number;
}

/** An old run date that is not pruned, and why; with a `failure` when it should have been. */
export interface KeptDate extends DatedFiles {
  code: string;
  message: string;
  failure?: Failure;
}

/** What a pruning will do, or has done. */
export interface PrunePlan {
  /** The first run date that is kept in any case. */
  keptFrom: string;
  /** What is removed; the oldest first. */
  pruned: DatedFiles[];
  /** Older ones that are kept. */
  kept: KeptDate[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Removes the data files of old run dates, each by one commit; their manifests are kept. The newest complete snapshot
 * of each stream is never pruned, whatever its age.
 * @throws ConfigError `snapshot_missing`, StorageError
 */
export async function prune(options: PruneOptions): Promise<PrunePlan> {
  const { storage, signal, clock = systemClock } = options;
  const { keepDays, dryRun } = parseSettings(pruneSettings, options, 'a pruning');
  let log = await existingLog(storage);
  checkLog(log, storage);
  const plan = await planPruning({ storage, log, keepDays, clock });
  if (dryRun) return plan;
  // It may be the same pruning again, which died before it removed the files.
  await tidyDays({ storage, runId: newRunId(clock.now()), clock, signal, log });
  const done: PrunePlan = { ...plan, pruned: [], kept: [...plan.kept] };
  for (const dated of plan.pruned) {
    signal?.throwIfAborted();
    try {
      log = await pruneDate({ storage, runDate: dated.runDate, clock, signal, log });
      done.pruned.push(dated);
    } catch (error) {
      if (!(error instanceof ComplianceError)) throw error;
      const { code, message, failure } = error;
      done.kept.push({ ...dated, code, message, failure });
    }
  }
  return done;
}

interface PlanRequest {
  storage: Storage;
  log: Log;
  keepDays: number;
  clock: Clock;
}

async function planPruning({ storage, log, keepDays, clock }: PlanRequest): Promise<PrunePlan> {
  const dayOf = (days: number): string => new Date(clock.now() - days * DAY_MS).toISOString().slice(0, 10);
  const plan: PrunePlan = { keptFrom: dayOf(keepDays - 1), pruned: [], kept: [] };
  const published: Published[] = [];
  for (const runDate of runDatesOf(log)) {
    if (currentOf(log, runDate)?.action === 'prune') continue;
    try {
      const manifest = (await readCurrent(storage, log, runDate))?.manifest;
      if (manifest) published.push(describe(manifest));
    } catch (error) {
      if (!(error instanceof ComplianceError)) throw error;
      const { code, message, failure } = error;
      if (runDate < plan.keptFrom) plan.kept.unshift({ runDate, files: 0, bytes: 0, code, message, failure });
    }
  }
  // One that was given a date of the future by mistake protects no other.
  const newest = newestDates(published.filter(({ runDate }) => runDate <= dayOf(0)));
  for (const { runDate, files, bytes } of published.reverse()) {
    if (runDate >= plan.keptFrom) continue;
    const message = newest.get(runDate);
    if (message === undefined) plan.pruned.push({ runDate, files, bytes });
    else plan.kept.push({ runDate, files, bytes, code: 'newest', message });
  }
  return plan;
}

/** A snapshot whose files are there. */
interface Published extends DatedFiles {
  /** The streams that it holds completely. */
  complete: string[];
}

const describe = (manifest: Manifest): Published => ({
  runDate: manifest.run_date,
  files: manifest.totals.files,
  bytes: manifest.totals.bytes,
  complete: streams.map(({ name }) => name).filter((name) => isComplete(manifest, name)),
});

/** The run dates that are never pruned, and why. @param published newest first */
function newestDates(published: readonly Published[]): Map<string, string> {
  const kept = new Map<string, string[]>();
  for (const { name } of streams) {
    const newest = published.find(({ complete }) => complete.includes(name));
    if (newest) kept.set(newest.runDate, [...(kept.get(newest.runDate) ?? []), name]);
  }
  const [newest] = published;
  if (kept.size === 0 && newest)
    return new Map([[newest.runDate, 'It is the newest snapshot, and none is complete.']]);
  return new Map(
    [...kept].map(([runDate, names]) => [
      runDate,
      `It is the newest complete snapshot of ${names.join(', ')}.`,
    ]),
  );
}

interface DatePruning {
  storage: Storage;
  runDate: string;
  log: Log;
  clock: Clock;
  signal: AbortSignal | undefined;
}

/** @returns the log, with the new entry */
async function pruneDate({ storage, runDate, log, clock, signal }: DatePruning): Promise<Log> {
  const runId = newRunId(clock.now());
  return await withDay({ storage, runDate, runId, clock, signal, log }, async (day) => {
    const manifest = day.current?.manifest;
    if (!manifest || manifest.status === 'pruned') return day.log; // another run was faster
    const tables = Object.fromEntries(
      Object.entries(manifest.tables).map(([name, table]) => [
        name,
        { ...withoutSliceFiles(table), files: [] },
      ]),
    );
    return await publish(day, rewritten(day, manifest, { action: 'prune', status: 'pruned', tables }));
  });
}
