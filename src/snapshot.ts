import { type Clock, systemClock } from './clock.js';
import { ConfigError, LockedError, RefusedError } from './errors.js';
import type { OnEvent } from './events.js';
import type { ComplianceClient } from './extract/compliance-client.js';
import { checkDataset, claimDataset } from './lake/dataset.js';
import { type Day, publish, withDay } from './lake/day.js';
import { checkLog, type Log, readLog } from './lake/log.js';
import { headOfLog } from './lake/log-head.js';
import type { Manifest } from './lake/manifest.js';
import { isManifestError, readCurrent, readManifest } from './lake/manifest-file.js';
import { newRunId } from './lake/paths.js';
import { checkRegroups } from './lake/regroup.js';
import type { Pseudonyms } from './model/pseudonyms.js';
import { type Description, describeRun } from './run/describe-run.js';
import { extractRun } from './run/extract-run.js';
import { newRun } from './run/new-run.js';
import { checkRunDate } from './run/run-date.js';
import { type SnapshotSettings, snapshotSettings } from './run/settings.js';
import { StagedRun } from './run/staged-run.js';
import { rootSeenFrom, stagingParent } from './run/staging-parent.js';
import { dropExpired, dropSuperseded, findUnfinished, type RunHeader } from './run/unfinished-runs.js';
import { parseSettings } from './settings.js';
import type { Sink } from './sinks/sink.js';
import { storageError } from './storage/local-error.js';
import { checkSameDisk } from './storage/same-disk.js';
import type { Storage } from './storage/storage.js';
import { sweepTemporaries } from './storage/temporary.js';
import { DATASET } from './streams/index.js';
import { checkPublishable, checkReplaceable } from './upkeep/guard.js';

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
  /** A local folder for what is not published yet. Default: the root, where that is a local folder. */
  state?: string;
  /** Replaces what names a person, before anything is written. Default: texts are written as served. */
  pseudonyms?: Pseudonyms;
  /** Kept in the manifest, as evidence of how it was made; no secrets. */
  configuration?: Readonly<Record<string, unknown>>;
  signal?: AbortSignal;
  onEvent?: OnEvent;
  clock?: Clock;
}

/**
 * Takes one snapshot of the directory: reads it into a staged run, then publishes it by one commit for each target. An
 * unfinished run of the same date, settings and folder is resumed.
 * @returns one manifest for each target; `incomplete` when a list failed under `onOrgFailure: 'continue'`
 * @throws ConfigError, RefusedError (nothing was published), LockedError (another run is working on it), and what the
 *   API, the sink and the storage throw
 */
export async function snapshot(options: SnapshotOptions): Promise<Manifest[]> {
  const { client, pseudonyms, clock = systemClock, onEvent = () => {} } = options;
  const settings = parseSettings(snapshotSettings, options, 'a snapshot');
  const targets: Target[] = [{ sink: options.sink, storage: options.storage }, ...(options.alsoTo ?? [])];
  const parent = stagingParent({ ...options, targets: targets.length });
  const roots = targets.map(({ storage }) => rootSeenFrom(parent, storage));
  checkDistinct(targets, roots);
  if (settings.layout === 'per-date') for (const { sink } of targets) checkRegroups(sink);
  const sinks = targets.map(({ sink }) => sink);
  const runId = newRunId(clock.now());
  const now = newRun({ runId, settings, sinks, roots, client, pseudonyms, clock });
  const beginNow = (): RunHeader => {
    checkRunDate(now, settings);
    return now;
  };
  const choose = async (): Promise<RunHeader> =>
    (!settings.fresh && (await findUnfinished({ parent, run: now, isClosed, clock }))) || beginNow();

  const logs: Log[] = [];
  await sweepTemporaries(parent);
  const header = await choose();
  const { run_date: runDate } = header;
  onEvent({ type: 'run-started', runId, runDate, isResumed: header !== now });
  try {
    for (const { storage, sink } of targets) {
      if (storage.localRoot !== undefined) await checkSameDisk(parent, storage.localRoot);
      await checkDataset(storage, { dataset: DATASET, format: sink.format });
      const log = await readLog(storage);
      logs.push(log);
      checkReplaceable(now.scope, await readExisting(storage, log), runDate);
    }
    return await withDays(targets, takeSnapshot);
  } catch (error) {
    throw storageError('writing', parent, error);
  }

  async function readExisting(storage: Storage, log: Log): Promise<Manifest | undefined> {
    checkLog(log, storage);
    try {
      return (await readCurrent(storage, log, runDate))?.manifest;
    } catch (error) {
      if (settings.force && isManifestError(error)) return undefined;
      throw error;
    }
  }

  async function isClosed(runDate: string): Promise<boolean> {
    for (const { storage } of targets)
      if ((await readManifest(storage, runDate))?.status === 'pruned') return true;
    return false;
  }

  /** Works on the run date in every root, holding the lease of each. */
  async function withDays<T>(
    [first, ...rest]: readonly Target[],
    work: (days: readonly Day[], signal: AbortSignal) => Promise<T>,
    days: readonly Day[] = [],
    signal: AbortSignal | undefined = options.signal,
  ): Promise<T> {
    if (!first) return await work(days, signal as AbortSignal);
    const request = {
      storage: first.storage,
      runDate,
      runId,
      log: logs[days.length] ?? [],
      replacesUnreadable: settings.force,
      clock,
      signal,
    };
    return await withDay(request, (day, aborted) => withDays(rest, work, [...days, day], aborted));
  }

  async function takeSnapshot(days: readonly Day[], signal: AbortSignal): Promise<Manifest[]> {
    // Another run may have ended between the choice and the lease: what counts is chosen now.
    const chosen = await choose();
    const isOutdated = chosen.run_date === runDate && isOvertaken(chosen, days);
    if (settings.fresh || isOutdated) await dropSuperseded(parent, chosen);
    const header = isOutdated ? beginNow() : chosen;
    if (header.run_date !== runDate) {
      throw new LockedError(
        'Another run has just ended the unfinished one of another day. Run the same command again.',
      );
    }
    const run = await StagedRun.open(parent, header, runId);
    try {
      if (!isFinal(run, settings))
        await extractRun({ client, run, sinks, settings, pseudonyms, onEvent, signal, clock });
      const manifests = await publishRun(run, days, signal);
      await dropSuperseded(parent, header); // this run's own, and those that this snapshot has replaced
      await dropExpired(parent, clock);
      return manifests;
    } catch (error) {
      if (error instanceof RefusedError) await run.refuse();
      throw error;
    } finally {
      await run.close();
    }
  }

  async function publishRun(run: StagedRun, days: readonly Day[], signal: AbortSignal): Promise<Manifest[]> {
    const manifests: (Manifest | undefined)[] = days.map(({ current }) => current?.manifest);
    const report = (day: Day, { run_id, status }: Manifest, log: Log): void => {
      const { location } = day.storage;
      onEvent({ type: 'published', runId: run_id, runDate, status, location, head: headOfLog(log) });
    };
    const isPublished = ({ current }: Day): boolean =>
      run.attempts.includes(current?.manifest.run_id ?? '') &&
      current?.manifest.extracted_at === run.extractedAt;
    const described: { day: Day; description: Description }[] = [];
    for (const [i, day] of days.entries()) {
      if (isPublished(day)) {
        report(day, day.current?.manifest as Manifest, day.log); // a process ended before it could say so
        continue;
      }
      const { sink } = targets[i] as Target;
      const { configuration = {} } = options;
      const { scope } = run.header;
      const request = { run, sink, day, scope, settings, configuration, pseudonyms, signal };
      described.push({ day, description: await describeRun(request) });
    }
    // All of them before any is published: what is refused for one is refused for all.
    const { maxShrink, allowEmpty, force } = settings;
    for (const { day, description } of described)
      await checkPublishable({ day, manifest: description.manifest, maxShrink, allowEmpty, force });
    for (const { day, description } of described) {
      const { format, dataset } = description.manifest;
      await claimDataset(day.storage, { format, dataset });
      report(day, description.manifest, await publish(day, description.manifest, description.files, signal));
      manifests[days.indexOf(day)] = description.manifest;
    }
    return manifests as Manifest[];
  }
}

/**
 * Whether another run has begun later than an unfinished one, and was published: what the unfinished one has read would
 * put older lists over newer ones.
 */
const isOvertaken = ({ run_id, started_at }: RunHeader, days: readonly Day[]): boolean =>
  days.some(
    ({ current }) =>
      current?.manifest.attempts[0] !== run_id && (current?.manifest.started_at ?? '') > started_at,
  );

/** What an earlier process has read is asked for again where it failed, unless it is to be published as it is. */
function isFinal(run: StagedRun, { streams: asked, force }: SnapshotSettings): boolean {
  if (run.extractedAt === undefined) return false;
  return force || asked.every((name) => run.slicesOf(name).every(({ verdict }) => verdict !== 'failed'));
}

/** In the staged run their folders are named by their format, and a root holds one format. */
function checkDistinct(targets: readonly Target[], roots: readonly string[]): void {
  const formats = new Set(targets.map(({ sink }) => sink.format));
  if (formats.size === targets.length && new Set(roots).size === targets.length) return;
  throw new ConfigError('Each target needs a format and a root of its own.', {
    code: 'targets_not_distinct',
  });
}
