import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { usersSchema } from '../schema.js';
import { parseSettings } from '../settings.js';
import { storageError } from '../storage/local-error.js';
import { checkSameDisk } from '../storage/same-disk.js';
import { once, type Storage } from '../storage/storage.js';
import { sweepTemporaries } from '../storage/temporary.js';
import { NAME, NODE_VERSION, VERSION } from '../version.js';
import { checkCompactable, existingManifest, sinkOf } from './compactable.js';
import { type CompactionRun, endCutShort, putInPlace } from './cut-short.js';
import { sha256Of } from './json-file.js';
import type { RunHeader } from './left-runs.js';
import { underLock } from './lock.js';
import { layouts, type Manifest, publisherOf } from './manifest.js';
import { readManifest } from './manifest-file.js';
import { manifestBeforeKey } from './partition.js';
import { regroup } from './regroup.js';
import { dropRuns, newRunId } from './resume.js';
import { snapshotSettings } from './settings.js';
import { stagedFolder } from './staged-files.js';
import { Staging } from './staging.js';
import { rootSeenFrom, stagingParent } from './staging-parent.js';

/** What a compaction may be told; the flags of `compact` are made from it. */
export const compactSettings = z.object({
  runDate: z.iso.date().describe('The day whose files are laid out anew.'),
  layout: z
    .enum(layouts)
    .default('per-date')
    .describe('per-date: one file of all organisations, sorted by them. per-org: a folder for each.'),
  rowsPerFile: snapshotSettings.shape.rowsPerFile.describe('Rows after which the next part begins.'),
  lock: snapshotSettings.shape.lock,
});
export type CompactSettings = z.infer<typeof compactSettings>;

export interface CompactOptions extends Partial<CompactSettings> {
  runDate: string;
  storage: Storage;
  /** A local folder for what is not published yet. Default: `_staging` in the root, where that is a local folder. */
  state?: string;
  signal?: AbortSignal;
  clock?: Clock;
}

/** What a compaction came to. */
export interface Compaction {
  manifest: Manifest;
  /** False when the files were laid out so already. */
  isChanged: boolean;
}

/**
 * Lays the users of a published run date out anew: the same rows in other files, of the same format and compression,
 * put in place by the protocol of snapshots. A compaction that was cut short while it published is gone on with.
 * @throws ConfigError, RefusedError, LockedError, StorageError, SinkError: nothing was changed
 */
export async function compact(options: CompactOptions): Promise<Compaction> {
  const { storage, signal, clock = systemClock } = options;
  const {
    runDate,
    layout,
    rowsPerFile,
    lock: locks,
  } = parseSettings(compactSettings, options, 'a compaction');
  const parent = stagingParent(options);
  await existingManifest(storage, runDate); // before anything is written to a folder that is no root
  await sweepTemporaries(parent);
  if (storage.localRoot !== undefined) await checkSameDisk(parent, storage.localRoot);
  const run: CompactionRun = { storage, parent, signal, clock };
  const startedAt = new Date(clock.now()).toISOString();
  const runId = newRunId(startedAt);
  return await underLock({ storage, runDate, runId, clock, isLocked: locks }, async (lock) => {
    const found = await existingManifest(storage, runDate);
    const manifest = await endCutShort(found, lock, run);
    const header: RunHeader = {
      run_id: runId,
      run_date: runDate,
      run_date_given: true,
      started_at: startedAt,
      fingerprint: sha256Of(`compaction to ${layout}`),
      scope: manifest.scope,
      is_compaction: true,
      roots: [rootSeenFrom(parent, storage)],
    };
    await dropRuns(parent, header, (left) => left.is_compaction); // cut short before they published
    if (manifest.layout === layout) return { manifest, isChanged: manifest !== found };
    const before = await checkCompactable(manifest, storage);
    const staging = await Staging.open(parent, header);
    try {
      const changed = await regroup({
        manifest,
        to: layout,
        sink: await sinkOf(manifest, storage),
        rowsPerFile,
        read: ({ path }) => storage.read(path),
        place: ({ path }) => `${storage.location}/${path}`,
        write: (name, bytes) =>
          staging.files.stage(`${stagedFolder(manifest, usersSchema.name)}/${name}`, bytes),
        signal,
      });
      await staging.makeFolders(manifest.format, [usersSchema.name]); // of no users there is no file
      changed.compaction = {
        run_id: runId,
        started_at: startedAt,
        connector: { name: NAME, version: VERSION, node: NODE_VERSION },
        layout: manifest.layout,
        manifest_sha256: before.sha256,
      };
      signal?.throwIfAborted();
      await storage.write(manifestBeforeKey(runDate, runId), once(new TextEncoder().encode(before.text)));
      return { manifest: await putInPlace(changed, { lock, staging }, run), isChanged: true };
    } catch (error) {
      await dropUnpublished(staging, run);
      throw storageError('writing', parent, error);
    } finally {
      await staging.close();
    }
  });
}

/** What was not begun to be put in place is no use to anybody, and it is personal data. */
async function dropUnpublished({ header }: Staging, { storage, parent }: CompactionRun): Promise<void> {
  const manifest = await readManifest(storage, header.run_date).catch(() => undefined);
  if (manifest === undefined || publisherOf(manifest) === header.run_id) return;
  await dropRuns(parent, header, ({ run_id }) => run_id === header.run_id).catch(() => undefined);
}
