import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { ComplianceError, ConfigError, type Failure } from '../errors.js';
import { streams } from '../extract/index.js';
import { parseSettings } from '../settings.js';
import type { Storage } from '../storage/storage.js';
import { sweepTemporaries } from '../storage/temporary.js';
import { RefusedError } from './guard.js';
import { underLock } from './lock.js';
import { appendLog } from './log.js';
import type { Manifest } from './manifest.js';
import {
  listRunDates,
  manifestSha256,
  newestSnapshot,
  readManifest,
  writeManifest,
} from './manifest-file.js';
import { dateFolder } from './partition.js';
import { newRunId } from './resume.js';
import { snapshotSettings } from './settings.js';

/** What pruning may be told; the flags of `prune` are made from it. */
export const pruneSettings = z.object({
  keepDays: z
    .int()
    .min(1)
    .max(36_500)
    .describe(
      "Days whose snapshots stay: 1 is today's (UTC), 30 is today's and those of the 29 days before.",
    ),
  lock: snapshotSettings.shape.lock,
  dryRun: z.boolean().default(false).describe('Tell what would be removed, and remove nothing.'),
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

export interface Pruning {
  /** The first run date that stays. */
  keptFrom: string;
  /** What was removed, or would be; the oldest first. */
  pruned: DatedFiles[];
  /** Older ones that stay: the newest complete snapshot (else the newest of all), and what could not be pruned. */
  left: (DatedFiles & { code: string; message: string; failure?: Failure })[];
}

/**
 * Removes the data files of old run dates. The manifest is marked first, then the log tells of it, then the files go:
 * what is cut short anywhere leaves files, by which the next pruning finds it. What is newest always stays.
 * @throws ConfigError `nothing_to_prune`, StorageError
 */
export async function prune(options: PruneOptions): Promise<Pruning> {
  const { storage, signal, clock = systemClock } = options;
  const { keepDays, dryRun, lock: isLocked } = parseSettings(pruneSettings, options, 'a pruning');
  await checkIsRoot(storage);
  if (storage.localRoot !== undefined && !dryRun) await sweepTemporaries(join(storage.localRoot, '_staging'));
  const dayOf = (days: number): string => new Date(clock.now() - days * DAY).toISOString().slice(0, 10);
  const keptFrom = dayOf(keepDays - 1);
  const dated = await datedFiles(storage);
  const old = dated.filter(({ runDate }) => runDate < keptFrom);
  // One that was given a date of the future by mistake protects no other.
  const isPast = (runDate: string): boolean => runDate <= dayOf(0);
  const newest = old.length > 0 ? await newestSnapshot(storage, isPast) : undefined;
  const keep = newest?.run_date ?? dated.at(-1)?.runDate ?? '';
  const pruning: Pruning = { keptFrom, pruned: [], left: [] };
  for (const day of old) {
    signal?.throwIfAborted();
    if (day.runDate === keep) {
      const message = newest
        ? 'It is the newest complete snapshot.'
        : 'It is the newest, and none is complete.';
      pruning.left.push({ ...day, code: 'newest', message });
      continue;
    }
    try {
      if (dryRun) await prunable(storage, day.runDate, keep);
      else await pruneDate({ storage, runDate: day.runDate, keep, isLocked, clock });
      pruning.pruned.push(day);
    } catch (error) {
      if (!(error instanceof ComplianceError)) throw error;
      const { code, message, failure } = error;
      pruning.left.push({ ...day, code, message, failure });
    }
  }
  return pruning;
}

const DAY = 24 * 60 * 60 * 1000;

interface DatePruning {
  storage: Storage;
  runDate: string;
  /** The newest run date that stays. */
  keep: string;
  isLocked: boolean;
  clock: Clock;
}

async function pruneDate({ storage, runDate, keep, isLocked, clock }: DatePruning): Promise<void> {
  await prunable(storage, runDate, keep); // before a lock is written for what is not ours
  const at = new Date(clock.now()).toISOString();
  await underLock({ storage, runDate, runId: newRunId(at), clock, isLocked }, async (lock) => {
    const manifest = await prunable(storage, runDate, keep);
    const { status } = manifest;
    let sha256 = await manifestSha256(storage, runDate);
    if (status !== 'pruned') {
      await lock?.check();
      const pruned = { at, status, manifest_sha256: sha256 };
      ({ sha256 } = await writeManifest(storage, { ...manifest, status: 'pruned', pruned }));
    }
    await lock?.check();
    await appendLog(storage, {
      at: manifest.pruned?.at ?? at,
      action: 'prune',
      run_id: manifest.run_id,
      run_date: runDate,
      status: 'pruned',
      manifest_sha256: sha256,
    });
    await lock?.check();
    for (const { schema } of streams) await storage.removeFolder(dateFolder(schema.name, runDate));
  });
}

/**
 * A snapshot that was being put in place may be whole: it stays unless a newer one is known to be.
 * @throws RefusedError `manifest_missing`, `publication_cut_short`
 */
async function prunable(storage: Storage, runDate: string, keep: string): Promise<Manifest> {
  const manifest = await readManifest(storage, runDate);
  if (!manifest)
    throw new RefusedError('It has no manifest, so nobody can say what it is.', 'manifest_missing');
  if (manifest.status !== 'publishing' || runDate < keep) return manifest;
  throw new RefusedError(
    'A run was cut short while it put its files in place, and there is no newer snapshot.',
    'publication_cut_short',
  );
}

/** A wrong place must not look like one in which all is in order. @throws ConfigError `nothing_to_prune` */
async function checkIsRoot(storage: Storage): Promise<void> {
  if ((await listRunDates(storage)).length > 0) return;
  throw new ConfigError(
    `There is no snapshot in ${storage.location}. Is it the folder that dump wrote to? A dump of several formats has one for each below it.`,
    { code: 'nothing_to_prune' },
  );
}

/** The run dates that have data files, the oldest first. */
async function datedFiles(storage: Storage): Promise<DatedFiles[]> {
  const dates = new Map<string, DatedFiles>();
  for (const { schema } of streams) {
    for await (const { key, bytes } of storage.list(schema.name)) {
      const runDate = /\/run_date=(\d{4}-\d{2}-\d{2})\//.exec(key)?.[1];
      if (runDate === undefined) continue;
      const known = dates.get(runDate) ?? { runDate, files: 0, bytes: 0 };
      dates.set(runDate, { runDate, files: known.files + 1, bytes: known.bytes + bytes });
    }
  }
  return [...dates.values()].sort((a, b) => (a.runDate < b.runDate ? -1 : 1));
}
