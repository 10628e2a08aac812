import type { Clock } from '../clock.js';
import { ComplianceError, type Failure } from '../errors.js';
import { currentOf, type Log, runDatesOf } from '../lake/log.js';
import { isComplete, type Manifest } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import { todayOf } from '../lake/newest-dates.js';
import type { Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import { isKeptByAge, type Keepable, type KeepReason, type KeepSettings, keepReasons } from './retention.js';

/** The data files of one run date. */
export interface DatedFiles {
  runDate: string;
  files: number;
  bytes: number;
}

/** A run date that is kept, and why. */
export interface KeptDate extends DatedFiles {
  reasons: KeepReason[];
}

/** A run date that should be pruned and was not, and why. */
export interface UnprunedDate extends DatedFiles {
  code: string;
  message: string;
  failure: Failure;
}

/** What a pruning will do, or has done; each list the oldest first. */
export interface PrunePlan {
  /** What is removed. */
  pruned: DatedFiles[];
  kept: KeptDate[];
  failed: UnprunedDate[];
}

interface PlanRequest {
  storage: Storage;
  log: Log;
  rules: KeepSettings;
  clock: Clock;
}

/** Decides what is pruned, by the log and the manifests. @throws StorageError */
export async function planPruning({ storage, log, rules, clock }: PlanRequest): Promise<PrunePlan> {
  const today = todayOf(clock);
  const plan: PrunePlan = { pruned: [], kept: [], failed: [] };
  const published: Published[] = [];
  for (const runDate of runDatesOf(log).reverse()) {
    if (currentOf(log, runDate)?.action === 'prune') continue;
    try {
      const manifest = (await readCurrent(storage, log, runDate))?.manifest;
      if (manifest) published.push(describe(manifest));
    } catch (error) {
      const failed = unpruned({ runDate, files: 0, bytes: 0 }, error);
      if (!isKeptByAge(runDate, rules, today)) plan.failed.push(failed);
    }
  }
  const reasons = keepReasons(published, rules, today);
  for (const { complete: _, ...dated } of published) {
    const why = reasons.get(dated.runDate) ?? [];
    if (why.length === 0) plan.pruned.push(dated);
    else plan.kept.push({ ...dated, reasons: why });
  }
  return plan;
}

interface Published extends DatedFiles, Keepable {}

const describe = (manifest: Manifest): Published => ({
  runDate: manifest.run_date,
  files: manifest.totals.files,
  bytes: manifest.totals.bytes,
  complete: streams.map(({ name }) => name).filter((name) => isComplete(manifest, name)),
});

/** @throws the error, unless it is one of ours */
export function unpruned(dated: DatedFiles, error: unknown): UnprunedDate {
  if (!(error instanceof ComplianceError)) throw error;
  const { code, message, failure } = error;
  return { ...dated, code, message, failure };
}
