import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { ComplianceError, type Failure } from '../errors.js';
import { streams } from '../extract/index.js';
import { parseSettings } from '../settings.js';
import type { Storage } from '../storage/storage.js';
import { sweepTemporaries } from '../storage/temporary.js';
import { RefusedError } from './guard.js';
import { underLock } from './lock.js';
import { appendLog } from './log.js';
import type { Manifest } from './manifest.js';
import { manifestSha256, newestSnapshot, readManifest, writeManifest } from './manifest-file.js';
import { dateFolder } from './partition.js';
import { newRunId } from './resume.js';

/** What pruning may be told; the flags of `prune` are made from it. */
export const pruneSettings = z.object({
  keepDays: z
    .int()
    .min(1)
    .max(36_500)
    .describe(
      "Days whose snapshots stay: 1 is today's (UTC), 30 is today's and those of the 29 days before.",
    ),
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
  /** Older ones that stay: the newest complete snapshot, and what could not be pruned. */
  left: (DatedFiles & { code: string; message: string; failure?: Failure })[];
}

/**
 * Removes the data files of old run dates. The manifest is marked first, then the log tells of it, then the files go:
 * what is cut short anywhere leaves files, by which the next pruning finds it. The newest complete snapshot always stays.
 * @throws StorageError
 */
export async function prune(options: PruneOptions): Promise<Pruning> {
  const { storage, signal, clock = systemClock } = options;
  const { keepDays, dryRun } = parseSettings(pruneSettings, options, 'a pruning');
  if (storage.localRoot !== undefined && !dryRun) await sweepTemporaries(join(storage.localRoot, '_staging'));
  const keptFrom = new Date(clock.now() - (keepDays - 1) * DAY).toISOString().slice(0, 10);
  const old = (await datedFiles(storage)).filter(({ runDate }) => runDate < keptFrom);
  const newest = old.length === 0 ? undefined : await newestSnapshot(storage);
  const pruning: Pruning = { keptFrom, pruned: [], left: [] };
  for (const dated of old) {
    signal?.throwIfAborted();
    if (dated.runDate === newest?.run_date) {
      pruning.left.push({ ...dated, code: 'newest', message: 'It is the newest complete snapshot.' });
      continue;
    }
    try {
      if (dryRun) await prunable(storage, dated.runDate);
      else await pruneDate(storage, dated.runDate, clock);
      pruning.pruned.push(dated);
    } catch (error) {
      if (!(error instanceof ComplianceError)) throw error;
      const { code, message, failure } = error;
      pruning.left.push({ ...dated, code, message, failure });
    }
  }
  return pruning;
}

const DAY = 24 * 60 * 60 * 1000;

async function pruneDate(storage: Storage, runDate: string, clock: Clock): Promise<void> {
  await prunable(storage, runDate); // before a lock is written for what is not ours
  const at = new Date(clock.now()).toISOString();
  await underLock({ storage, runDate, runId: newRunId(at), clock }, async (lock) => {
    const manifest = await prunable(storage, runDate);
    const { status } = manifest;
    if (status !== 'pruned') {
      await writeManifest(storage, { ...manifest, status: 'pruned', pruned: { at, status } });
    }
    await appendLog(storage, {
      at: manifest.pruned?.at ?? at,
      action: 'prune',
      run_id: manifest.run_id,
      run_date: runDate,
      status: 'pruned',
      manifest_sha256: await manifestSha256(storage, runDate),
    });
    await lock.check();
    for (const { schema } of streams) await storage.removeFolder(dateFolder(schema.name, runDate));
  });
}

/** @throws RefusedError `manifest_missing` */
async function prunable(storage: Storage, runDate: string): Promise<Manifest> {
  const manifest = await readManifest(storage, runDate);
  if (manifest) return manifest;
  throw new RefusedError('It has no manifest, so nobody can say what it is.', 'manifest_missing');
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
