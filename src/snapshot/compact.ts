import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock.js';
import { ConfigError } from '../errors.js';
import { SCHEMA_VERSION, usersSchema } from '../schema.js';
import { parseSettings } from '../settings.js';
import { createSink, inspectFile } from '../sinks/index.js';
import { storageError } from '../storage/local-error.js';
import { checkSameDisk } from '../storage/same-disk.js';
import type { Storage } from '../storage/storage.js';
import { sweepTemporaries } from '../storage/temporary.js';
import { NAME, NODE_VERSION, VERSION } from '../version.js';
import { RefusedError } from './guard.js';
import { type Lock, underLock } from './lock.js';
import { layouts, type Manifest, manifestFiles, publisherOf } from './manifest.js';
import { manifestSha256, readManifest } from './manifest-file.js';
import { type Publication, publish } from './publish.js';
import { checkRegroups, type RegroupingSink, regroup } from './regroup.js';
import { dropRuns, newRunId } from './resume.js';
import { snapshotSettings } from './settings.js';
import { listStagings, type RunHeader, Staging } from './staging.js';
import { rootSeenFrom, stagingParent } from './staging-parent.js';

/** What a compaction may be told; the flags of `compact` are made from it. */
export const compactSettings = z.object({
  runDate: z.iso.date().describe('The day whose files are laid out anew.'),
  layout: z
    .enum(layouts)
    .default('per-date')
    .describe('per-date: one file of all organisations, sorted by them. per-org: a folder for each.'),
  rowsPerFile: snapshotSettings.shape.rowsPerFile.describe('Rows after which the next part begins.'),
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
  const { runDate, layout, rowsPerFile } = parseSettings(compactSettings, options, 'a compaction');
  const parent = stagingParent(options);
  await existingManifest(storage, runDate); // before anything is written to a folder that is no root
  await sweepTemporaries(parent);
  if (storage.localRoot !== undefined) await checkSameDisk(parent, storage.localRoot);
  const run: Run = { storage, parent, signal, clock };
  const startedAt = new Date(clock.now()).toISOString();
  const runId = newRunId(startedAt);
  return await underLock({ storage, runDate, runId, clock }, async (lock) => {
    const found = await existingManifest(storage, runDate);
    const manifest = found.status === 'publishing' ? await goOn(found, lock, run) : found;
    if (manifest.layout === layout) return { manifest, isChanged: manifest !== found };
    checkVersion(manifest, storage);
    const header: RunHeader = {
      run_id: runId,
      run_date: runDate,
      run_date_given: true,
      started_at: startedAt,
      fingerprint: createHash('sha256').update(`compaction to ${layout}`).digest('hex'),
      scope: manifest.scope,
      is_compaction: true,
      roots: [rootSeenFrom(parent, storage)],
    };
    await dropRuns(parent, header, (left) => left.is_compaction); // cut short before they published
    const staging = await Staging.open(parent, header);
    try {
      const changed = await regroup({
        manifest,
        to: layout,
        sink: await sinkOf(manifest, storage),
        rowsPerFile,
        read: ({ path }) => storage.read(path),
        place: ({ path }) => `${storage.location}/${path}`,
        write: (name, bytes) => staging.files.stage(`${manifest.format}/${usersSchema.name}/${name}`, bytes),
        signal,
      });
      await staging.makeFolders(manifest.format, [usersSchema.name]); // of no users there is no file
      changed.compaction = {
        run_id: runId,
        started_at: startedAt,
        connector: { name: NAME, version: VERSION, node: NODE_VERSION },
        layout: manifest.layout,
        manifest_sha256: await manifestSha256(storage, runDate),
      };
      return { manifest: await putInPlace(changed, { lock, staging }, run), isChanged: true };
    } catch (error) {
      throw storageError('writing', parent, error);
    } finally {
      await staging.close();
    }
  });
}

interface Run {
  storage: Storage;
  parent: string;
  signal: AbortSignal | undefined;
  clock: Clock;
}

async function putInPlace(
  manifest: Manifest,
  { lock, staging }: Pick<Publication, 'lock' | 'staging'>,
  { storage, parent, signal, clock }: Run,
): Promise<Manifest> {
  const publication = { storage, staging, manifest, lock, signal, clock, tables: [usersSchema.name] };
  const published = await publish(publication);
  await dropRuns(parent, staging.header, (left) => left.is_compaction);
  return published;
}

/** @throws ConfigError `snapshot_missing`, RefusedError `snapshot_pruned` */
async function existingManifest(storage: Storage, runDate: string): Promise<Manifest> {
  const manifest = await readManifest(storage, runDate);
  if (!manifest) {
    throw new ConfigError(
      `There is no snapshot of ${runDate} in ${storage.location}. Check --out, or name another --run-date.`,
      { code: 'snapshot_missing' },
    );
  }
  if (manifest.status !== 'pruned') return manifest;
  throw new RefusedError(`The snapshot of ${runDate} was pruned: it has no files.`, 'snapshot_pruned');
}

/**
 * Ends a compaction that was cut short while it published.
 * @throws RefusedError `publication_cut_short` when that was a dump, or its staging is not here
 */
async function goOn(manifest: Manifest, lock: Lock, run: Run): Promise<Manifest> {
  const left = (await listStagings(run.parent)).find(({ run_id }) => run_id === publisherOf(manifest));
  if (!left?.is_compaction) {
    const what = manifest.compaction ? 'compaction' : 'dump';
    throw new RefusedError(
      `A ${what} of ${manifest.run_date} was cut short while it put its files in place, so they may be mixed. Run that ${what} again, where it ran and with the same --state; it goes on.`,
      'publication_cut_short',
    );
  }
  const staging = await Staging.open(run.parent, left);
  try {
    return await putInPlace(manifest, { lock, staging }, run);
  } finally {
    await staging.close();
  }
}

function checkVersion({ run_date, schema_version }: Manifest, { location }: Storage): void {
  if (schema_version === SCHEMA_VERSION) return;
  throw new ConfigError(
    `The snapshot of ${run_date} in ${location} has columns of version ${schema_version}; this connector writes version ${SCHEMA_VERSION}. Compact it with the version that took it.`,
    { code: 'schema_version_unknown' },
  );
}

/** What writes files like those that lie there. */
async function sinkOf(manifest: Manifest, storage: Storage): Promise<RegroupingSink> {
  const path = manifestFiles(manifest).find(({ table }) => table === usersSchema.name)?.path;
  const content =
    path === undefined ? undefined : await inspectFile(manifest.format, path, storage.read(path));
  const sink = createSink(manifest.format, content?.compression ? { compression: content.compression } : {});
  checkRegroups(sink);
  return sink;
}
