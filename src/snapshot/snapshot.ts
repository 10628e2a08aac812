import { type Clock, systemClock } from '../clock.js';
import { ConfigError } from '../errors.js';
import type { OnEvent } from '../events.js';
import type { ComplianceClient } from '../extract/compliance-client.js';
import { parseSettings } from '../settings.js';
import type { Sink } from '../sinks/sink.js';
import { storageError } from '../storage/local-error.js';
import { checkSameDisk } from '../storage/same-disk.js';
import type { Storage } from '../storage/storage.js';
import { sweepTemporaries } from '../storage/temporary.js';
import { checkDataset } from './dataset.js';
import { extract } from './extraction.js';
import { checkPublishable, checkReplaceable, RefusedError } from './guard.js';
import { layOutPerDate } from './lay-out.js';
import type { RunHeader } from './left-runs.js';
import { acquireLock, type Lock, LockedError, lostLock } from './lock.js';
import { type Manifest, type Scope, statusWhenPublished } from './manifest.js';
import { readManifest } from './manifest-file.js';
import { describeRun } from './manifest-of-run.js';
import { type Publication, publish } from './publish.js';
import { checkRegroups } from './regroup.js';
import { dropExpired, dropRuns, findRun, newRun, reopen } from './resume.js';
import { type SnapshotSettings, snapshotSettings } from './settings.js';
import { Staging } from './staging.js';
import { rootSeenFrom, stagingParent } from './staging-parent.js';

/** Where a snapshot goes, and as what. */
export interface Target {
  sink: Sink;
  storage: Storage;
}

/** What `snapshot` takes; settings that are left out have their defaults. */
export interface SnapshotOptions extends Target, Partial<SnapshotSettings> {
  client: ComplianceClient;
  /** More formats of the same data, each with a root of its own; the API is read once. */
  alsoTo?: readonly Target[];
  /** A local folder for what is not published yet. Default: `_staging` in the root, where that is a local folder. */
  state?: string;
  /** Kept in the manifest, as evidence of how it was made; no secrets. */
  configuration?: Readonly<Record<string, unknown>>;
  signal?: AbortSignal;
  onEvent?: OnEvent;
  clock?: Clock;
}

/**
 * Takes one snapshot of the directory: reads it into a staging, then publishes it in one commit for each target. A
 * run of the same date, settings and folder that was cut short is gone on with.
 * @returns one manifest for each target; `incomplete` when an organisation failed under `onOrgFailure: 'continue'`
 * @throws ConfigError, RefusedError (nothing was published), LockedError (another run is at it), and what the API,
 *   the sink and the storage throw
 */
export async function snapshot(options: SnapshotOptions): Promise<Manifest[]> {
  const { client, signal, clock = systemClock, onEvent = () => {} } = options;
  const settings = parseSettings(snapshotSettings, options, 'a snapshot');
  const targets: Target[] = [{ sink: options.sink, storage: options.storage }, ...(options.alsoTo ?? [])];
  const parent = stagingParent({ ...options, targets: targets.length });
  const scope: Scope = { streams: settings.streams, organizations: settings.org ?? 'all' };
  const roots = targets.map(({ storage }) => rootSeenFrom(parent, storage));
  checkDistinct(targets, roots);
  const identity = {
    scope,
    rowsPerFile: settings.rowsPerFile,
    api: client.baseUrl,
    pageSize: client.pageSize,
    layout: settings.layout,
    targets: targets.map(({ sink }, i) => [sink.format, sink.extension, sink.options, roots[i]]),
  };
  if (settings.layout === 'per-date') for (const { sink } of targets) checkRegroups(sink);
  const run = newRun({ settings, identity, scope, roots, clock });
  const isClosed = async (runDate: string): Promise<boolean> => {
    for (const { storage } of targets)
      if ((await readManifest(storage, runDate))?.status === 'pruned') return true;
    return false;
  };
  const choose = async (): Promise<RunHeader> =>
    (await findRun({ parent, settings, run, isClosed, clock })) ?? run;

  await sweepTemporaries(parent);
  const { run_date: runDate } = await choose();
  const locks = new Map<Target, Lock>();
  let staging: Staging | undefined;
  try {
    for (const target of targets) {
      const { localRoot } = target.storage;
      if (localRoot !== undefined) await checkSameDisk(parent, localRoot);
      await checkDataset(target.storage, target.sink.format);
      checkReplaceable(scope, await readManifest(target.storage, runDate), runDate);
    }
    const header = await underLocks();
    staging = await Staging.open(parent, header);
    await reopen(staging, { storages: targets.map(({ storage }) => storage), force: settings.force });
    if (staging.progress.extractedAt === undefined) {
      const sinks = targets.map(({ sink }) => sink);
      await extract({ client, staging, sinks, settings, pageSize: client.pageSize, onEvent, signal, clock });
    }
    const publications: Publication[] = [];
    for (const target of targets) {
      const { sink, storage } = target;
      let manifest = describeRun({ staging, sink, scope, configuration: options.configuration ?? {} });
      if (settings.layout === 'per-date') {
        checkRegroups(sink);
        manifest = await layOutPerDate({
          manifest,
          staging,
          sink,
          rowsPerFile: settings.rowsPerFile,
          signal,
        });
      }
      publications.push({ storage, staging, manifest, lock: locks.get(target), signal, clock });
    }
    // All of them before any is published: what is refused is refused as a whole.
    for (const { storage, manifest } of publications) {
      await checkPublishable({ storage, manifest, maxShrink: settings.maxShrink, force: settings.force });
    }
    const manifests: Manifest[] = [];
    for (const publication of publications) {
      signal?.throwIfAborted();
      manifests.push(await publish(publication));
    }
    await dropRuns(parent, header); // this run's own, and those that this snapshot has replaced
    await dropExpired(parent, {
      storages: new Map(targets.map(({ storage }, i) => [roots[i] ?? '', storage])),
      clock,
    });
    for (const manifest of manifests.slice(0, 1)) {
      onEvent({ type: 'published', runId: manifest.run_id, runDate, status: statusWhenPublished(manifest) });
    }
    return manifests;
  } catch (error) {
    if (error instanceof RefusedError) await staging?.refuse();
    throw (await lostLock(locks.values())) ?? storageError('writing', parent, error);
  } finally {
    await staging?.close();
    // One that cannot be released runs out by itself; what happened before is what to tell.
    for (const lock of locks.values()) await lock.release().catch(() => undefined);
  }

  /** Another run may have ended between the choice and the lock: what counts is chosen under it. */
  async function underLocks(): Promise<RunHeader> {
    const chosen = await choose();
    for (const target of settings.lock ? targets : []) {
      await target.storage.probe?.();
      locks.set(target, await acquireLock({ storage: target.storage, runDate, runId: chosen.run_id, clock }));
    }
    const header = await choose();
    if (header.run_date !== runDate) {
      throw new LockedError(
        'Another run has just ended the unfinished one of another day. Run the same command again.',
      );
    }
    if (settings.fresh)
      await dropRuns(parent, header, (left) => left.run_id !== header.run_id && !left.is_compaction);
    return header;
  }
}

/** In the staging they are told apart by their format, and a root holds one format. */
function checkDistinct(targets: readonly Target[], roots: readonly string[]): void {
  const formats = new Set(targets.map(({ sink }) => sink.format));
  if (formats.size === targets.length && new Set(roots).size === targets.length) return;
  throw new ConfigError('Each target needs a format and a root of its own.', {
    code: 'targets_not_distinct',
  });
}
