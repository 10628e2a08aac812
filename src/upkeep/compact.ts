import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { ConfigError } from '../errors.js';
import { type Day, publish, tidyDays, withDay } from '../lake/day.js';
import { existingLog, snapshotPruned } from '../lake/existing-log.js';
import { checkLog } from '../lake/log.js';
import type { FileEntry, Manifest, Table } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import { dateFolder, newRunId, publishedKey } from '../lake/paths.js';
import { regroup } from '../lake/regroup.js';
import { sinkLike } from '../lake/sink-like.js';
import { snapshotSettings } from '../run/settings.js';
import { stagingParent } from '../run/staging-parent.js';
import { parseSettings } from '../settings.js';
import { LocalStorage } from '../storage/local.js';
import { storageError } from '../storage/local-error.js';
import { withScratch } from '../storage/scratch.js';
import type { FinishedFile, Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import type { Stream } from '../streams/stream.js';
import { rewritten, withoutSliceFiles } from './rewritten.js';

/** The settings of a compaction; the flags of `compact` are made from it. */
export const compactSettings = z.object({
  runDate: z.iso.date().describe('The day whose files are combined.'),
  rowsPerFile: snapshotSettings.shape.rowsPerFile,
  dryRun: z.boolean().default(false).describe('Report what would be combined, and change nothing.'),
});
export type CompactSettings = z.infer<typeof compactSettings>;

export interface CompactOptions extends Partial<CompactSettings> {
  runDate: string;
  storage: Storage;
  /** A local folder for what is not published yet. Default: the root, where that is a local folder. */
  state?: string;
  signal?: AbortSignal;
  clock?: Clock;
}

/** What a compaction will do, or has done: the tables whose files are combined. Empty: they are combined already. */
export interface CompactPlan {
  runDate: string;
  tables: { table: string; files: number; rows: number; bytes: number }[];
}

/** What a compaction came to. */
export interface Compaction {
  plan: CompactPlan;
  /** The current manifest. */
  manifest: Manifest;
}

/**
 * Combines the files of a published run date: the same rows, one file a table, of the same format and compression, under
 * new names. The day changes by one commit.
 * @throws ConfigError, RefusedError, LockedError, StorageError, SinkError: nothing was changed
 */
export async function compact(options: CompactOptions): Promise<Compaction> {
  const { storage, signal, clock = systemClock } = options;
  const settings = parseSettings(compactSettings, options, 'a compaction');
  const { runDate, dryRun } = settings;
  const parent = stagingParent(options);
  const log = await existingLog(storage, runDate); // before anything is written to a folder that is no root
  checkLog(log, storage);
  const found = (await readCurrent(storage, log, runDate))?.manifest;
  const plan = planCompaction(found, storage);
  if (dryRun) return { plan, manifest: found as Manifest };
  const runId = newRunId(clock.now());
  const request = { storage, runDate, runId, clock, signal, log };
  if (plan.tables.length === 0) {
    await tidyDays(request); // it may be the same compaction again, which died before it removed the old files
    return { plan, manifest: found as Manifest };
  }
  return await withDay(request, async (day, aborted) => {
    const manifest = day.current?.manifest;
    const plan = planCompaction(manifest, storage); // another run may have changed the day before the lease was taken
    if (!manifest || plan.tables.length === 0) return { plan, manifest: manifest as Manifest };
    return await withScratch(parent, async (folder) => {
      const scratch = new LocalStorage(folder);
      const combined = await combine({ day, manifest, plan, scratch, signal: aborted, ...settings });
      await publish(day, combined.manifest, combined.files, aborted);
      return { plan, manifest: combined.manifest };
    }).catch((error: unknown) => {
      throw storageError('writing', parent, error);
    });
  });
}

/** @throws RefusedError `snapshot_pruned`; ConfigError `columns_unknown` */
function planCompaction(manifest: Manifest | undefined, { location }: Storage): CompactPlan {
  if (!manifest) throw new TypeError('there is a manifest of every run date that the log knows');
  const { run_date: runDate, status } = manifest;
  if (status === 'pruned') throw snapshotPruned(runDate);
  const tables = Object.entries(manifest.tables).flatMap(([name, table]) => {
    const stream = streams.find((known) => known.name === name);
    if (!stream?.parent || table.layout === 'per-date') return [];
    if (table.columns.join() !== stream.schema.fields.map((field) => field.name).join()) {
      throw new ConfigError(
        `The columns of ${name} of ${runDate} in ${location} are not those of this version of the connector. Compact it with the version that wrote it (${manifest.connector.version}).`,
        { code: 'columns_unknown' },
      );
    }
    const files = table.slices.flatMap((slice) => slice.files);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return [{ table: name, files: files.length, rows: table.rows, bytes }];
  });
  return { runDate, tables };
}

interface Combine {
  day: Day;
  manifest: Manifest;
  plan: CompactPlan;
  scratch: LocalStorage;
  rowsPerFile: number;
  signal: AbortSignal;
}

async function combine(request: Combine): Promise<{ manifest: Manifest; files: FinishedFile[] }> {
  const { day, manifest, plan } = request;
  const finished: FinishedFile[] = [];
  const tables = { ...manifest.tables };
  for (const { table: name } of plan.tables) {
    const stream = streams.find((known) => known.name === name) as Stream;
    const table = manifest.tables[name] as Table;
    const files = await combineTable(stream, table, request, finished);
    tables[name] = { ...withoutSliceFiles(table), layout: 'per-date', files };
  }
  const changed = rewritten(day, manifest, { action: 'compact', tables });
  return { manifest: changed, files: finished };
}

async function combineTable(
  stream: Stream,
  { slices }: Table,
  { day, manifest, scratch, rowsPerFile, signal }: Combine,
  finished: FinishedFile[],
): Promise<FileEntry[]> {
  const { storage, runDate, runId } = day;
  const files = await regroup({
    schema: stream.schema,
    slices,
    sink: await sinkLike(slices.flatMap((slice) => slice.files)[0], manifest.format, storage),
    rowsPerFile,
    read: ({ path }) => storage.read(path),
    place: ({ path }) => `${storage.location}/${path}`,
    folder: `${dateFolder(stream.name, runDate)}/`,
    write: (path, bytes) => scratch.stage(path, bytes),
    signal,
  });
  return files.map((file) => {
    const path = publishedKey(file.path, runId);
    const { bytes, sha256 } = file;
    finished.push(scratch.finished(file.path, { key: path, bytes, sha256 }));
    return { ...file, path };
  });
}
