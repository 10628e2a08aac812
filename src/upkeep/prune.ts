import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { publish, tidyDays, withDay } from '../lake/day.js';
import { existingLog } from '../lake/existing-log.js';
import { checkLog, type Log } from '../lake/log.js';
import { newRunId } from '../lake/paths.js';
import { parseSettings } from '../settings.js';
import type { Storage } from '../storage/storage.js';
import { type PrunePlan, planPruning, unpruned } from './prune-plan.js';
import { checkRules, keepSettings } from './retention.js';
import { rewritten, withoutSliceFiles } from './rewritten.js';

/** The settings of pruning; the flags of `prune` are made from it. */
export const pruneSettings = keepSettings.extend({
  dryRun: z.boolean().default(false).describe('Report what would be removed, and remove nothing.'),
});
export type PruneSettings = z.infer<typeof pruneSettings>;

/** At least one rule of what is kept must be given. */
export interface PruneOptions extends Partial<PruneSettings> {
  storage: Storage;
  signal?: AbortSignal;
  clock?: Clock;
}

/**
 * Removes the data files of the run dates that no rule keeps, each by one commit; their manifests are kept. The newest
 * complete snapshot of each stream is never pruned, whatever its age.
 * @throws ConfigError `keep_missing`, `snapshot_missing`; StorageError
 */
export async function prune(options: PruneOptions): Promise<PrunePlan> {
  const { storage, signal, clock = systemClock } = options;
  const { dryRun, ...rules } = parseSettings(pruneSettings, options, 'a pruning');
  checkRules(rules);
  let log = await existingLog(storage);
  checkLog(log, storage);
  const plan = await planPruning({ storage, log, rules, clock });
  if (dryRun) return plan;
  // It may be the same pruning again, which died before it removed the files.
  await tidyDays({ storage, runId: newRunId(clock.now()), clock, signal, log });
  const done: PrunePlan = { ...plan, pruned: [], failed: [...plan.failed] };
  for (const dated of plan.pruned) {
    signal?.throwIfAborted();
    try {
      log = await pruneDate({ storage, runDate: dated.runDate, clock, signal, log });
      done.pruned.push(dated);
    } catch (error) {
      done.failed.push(unpruned(dated, error));
    }
  }
  done.failed.sort((a, b) => (a.runDate < b.runDate ? -1 : 1));
  return done;
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
