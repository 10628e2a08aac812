import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { ConfigError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { sha256Of } from './json-file.js';
import { dropStaging, type LeftRun, listStagings, type RunHeader } from './left-runs.js';
import { covers, publisherOf, type Scope } from './manifest.js';
import { readManifest } from './manifest-file.js';
import type { SnapshotSettings } from './settings.js';
import type { Staging } from './staging.js';

/** An unfinished run may be gone on with for this long after it began, in milliseconds. */
export const RESUMABLE_FOR = 24 * 60 * 60 * 1000;

interface Search {
  /** The folder that holds the stagings. */
  parent: string;
  settings: SnapshotSettings;
  /** What a run of now would be. */
  run: RunHeader;
  /** Whether nothing can be published at a run date any more. */
  isClosed: (runDate: string) => Promise<boolean>;
  clock: Clock;
}

/**
 * The unfinished run to go on with, if there is one. Without a given date it goes on across midnight and keeps its
 * date; one that a guard refused only goes on when its date is asked for, or is today's.
 * @throws ConfigError `nothing_to_resume`
 */
export async function findRun({
  parent,
  settings,
  run,
  isClosed,
  clock,
}: Search): Promise<LeftRun | undefined> {
  const isOpen = (left: LeftRun): boolean =>
    left.fingerprint === run.fingerprint &&
    // Nor one of tomorrow: it began while the clock was wrong, and its date is wrong as well.
    Math.abs(clock.now() - Date.parse(left.started_at)) < RESUMABLE_FOR &&
    (left.run_date === run.run_date ||
      (settings.runDate === undefined && !left.run_date_given && !left.refused));
  let left: LeftRun | undefined;
  for (const candidate of settings.fresh ? [] : (await listStagings(parent)).filter(isOpen)) {
    if (candidate.run_date !== run.run_date && (await isClosed(candidate.run_date))) continue;
    left = candidate;
    break;
  }
  if (left === undefined && settings.resume) {
    throw new ConfigError(
      'There is no unfinished run of this folder, run date and configuration that is younger than 24 hours. Leave out --resume to begin one.',
      { code: 'nothing_to_resume' },
    );
  }
  return left;
}

interface Beginning {
  settings: SnapshotSettings;
  /** Everything that shapes the files, as JSON. */
  identity: unknown;
  scope: Scope;
  roots: readonly string[];
  clock: Clock;
}

/** Sorts by time: `20261123T010203Z-1f08da1e`. */
export const newRunId = (startedAt: string): string =>
  `${startedAt.replace(/[-:]|\.\d+/g, '')}-${randomUUID().slice(0, 8)}`;

/** A run that begins now. */
export function newRun({ settings, identity, scope, roots, clock }: Beginning): RunHeader {
  const startedAt = new Date(clock.now()).toISOString();
  return {
    run_id: newRunId(startedAt),
    run_date: settings.runDate ?? startedAt.slice(0, 10),
    run_date_given: settings.runDate !== undefined,
    started_at: startedAt,
    fingerprint: sha256Of(JSON.stringify(identity)),
    scope,
    is_compaction: false,
    roots: [...roots],
  };
}

/**
 * An earlier process read everything but what failed, and published nothing: that is asked for again, unless it is to be
 * published as it is.
 */
export async function reopen(
  staging: Staging,
  { storages, force }: { storages: readonly Storage[]; force: boolean },
): Promise<void> {
  const { header, progress } = staging;
  const hasFailed = [...progress.slices.values()].some(({ verdict }) => verdict === 'failed');
  if (force || !hasFailed || progress.extractedAt === undefined) return;
  for (const storage of storages) {
    const standing = await readManifest(storage, header.run_date);
    if (standing?.run_id === header.run_id) return; // it only rolls forward
  }
  await staging.record({ type: 'reopened' });
}

/**
 * Drops the stagings that a run makes useless: of its date, for one of its roots, and of nothing that it does not read
 * itself. Only to be called by the holder of the date's locks.
 */
export async function dropRuns(
  parent: string,
  run: RunHeader,
  accept: (left: LeftRun) => boolean = () => true,
): Promise<void> {
  for (const left of await listStagings(parent)) {
    const isSuperseded =
      accept(left) &&
      left.run_date === run.run_date &&
      left.roots.some((root) => run.roots.includes(root)) &&
      covers(run.scope, left.scope);
    if (isSuperseded) await dropStaging(parent, left.folder);
  }
}

/**
 * Drops the stagings of other dates that nobody can go on with any more: personal data is not left lying about. One whose
 * publication was cut short stays, because it may hold the only copy; and so does one of which that is not known.
 */
export async function dropExpired(
  parent: string,
  { storages, clock }: { storages: ReadonlyMap<string, Storage>; clock: Clock },
): Promise<void> {
  const isOld = (at: number): boolean => clock.now() - at > RESUMABLE_FOR;
  const isCutShort = async ({ run_id, run_date, roots }: LeftRun): Promise<boolean> => {
    for (const root of roots) {
      const storage = storages.get(root);
      const found = storage && (await readManifest(storage, run_date));
      if (!storage || (found?.status === 'publishing' && publisherOf(found) === run_id)) return true;
    }
    return false;
  };
  for (const left of await listStagings(parent)) {
    // A run that is still at it after a day adds to its journal.
    if (!isOld(Date.parse(left.started_at)) || !isOld(left.touched_at)) continue;
    // What fails here is tried again by the next run; another one may be just as far.
    if (!(await isCutShort(left).catch(() => true))) await dropStaging(parent, left.folder).catch(() => {});
  }
}
