import { type Clock, systemClock } from '../clock.js';
import { ConfigError } from '../errors.js';
import { chooseSnapshot } from '../lake/choose-snapshot.js';
import { existingLog } from '../lake/existing-log.js';
import { checkLog, type Log } from '../lake/log.js';
import type { Manifest } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import { newestDates } from '../lake/newest-dates.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Storage } from '../storage/storage.js';
import type { ChangeRow } from './changes.js';
import { type ComparisonOptions, compareSnapshots } from './compare-snapshots.js';

export interface DiffOptions extends ComparisonOptions {
  /** A root that dump wrote to. */
  storage: Storage;
  /** The run date of the earlier snapshot. Default: of the complete snapshot before `to`. */
  from?: string | undefined;
  /** The run date of the later snapshot. Default: of the newest complete one. */
  to?: string | undefined;
  /** Replaces what names a person in both, where they do not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
  /** Whose today is the last day that may be the newest. Default: the machine's. */
  clock?: Clock | undefined;
}

/** Two snapshots, and what differs between them. */
export interface Diff {
  readonly from: Manifest;
  readonly to: Manifest;
  /** What `compareSnapshots` returns. */
  changes(): AsyncGenerator<ChangeRow[], void, void>;
}

/**
 * Compares two snapshots of a root: see `compareSnapshots`.
 * @throws ConfigError `snapshot_missing`, `snapshots_too_few`, `dates_not_in_order`, `organization_not_listed`, `pseudonyms_differ`; RefusedError
 *   `snapshot_pruned`
 */
export async function diffSnapshots(options: DiffOptions): Promise<Diff> {
  const { storage, from: _from, to: _to, pseudonyms, clock: _, ...comparison } = options;
  const { from, to } = await chooseTwo(options);
  const before = { storage, manifest: from, pseudonyms };
  const after = { storage, manifest: to, pseudonyms };
  return { from, to, changes: () => compareSnapshots({ ...comparison, before, after }) };
}

async function chooseTwo(options: DiffOptions): Promise<{ from: Manifest; to: Manifest }> {
  const { storage, from, to, clock = systemClock } = options;
  const log = await existingLog(storage, to ?? from);
  checkLog(log, storage);
  const dates = newestDates(log, clock);
  const later =
    to === undefined ? await newestComplete({ storage, log, dates }) : await chooseSnapshot(storage, to);
  if (from !== undefined && from >= later.run_date)
    throw new ConfigError(`${from} is not before ${later.run_date}: give the earlier day first.`, {
      code: 'dates_not_in_order',
    });
  const earlier =
    from === undefined
      ? await newestComplete({
          storage,
          log,
          dates: dates.filter((date) => date < later.run_date),
          before: later.run_date,
        })
      : await chooseSnapshot(storage, from);
  return { from: earlier, to: later };
}

interface Search {
  storage: Storage;
  log: Log;
  /** Newest first. */
  dates: readonly string[];
  before?: string;
}

/** @throws ConfigError `snapshots_too_few` */
async function newestComplete({ storage, log, dates, before }: Search): Promise<Manifest> {
  for (const runDate of dates) {
    const manifest = (await readCurrent(storage, log, runDate))?.manifest;
    if (manifest?.status === 'complete') return manifest;
  }
  throw new ConfigError(
    `There is no complete snapshot${before === undefined ? '' : ` before ${before}`} in ${storage.location} to compare with. Name two days that were read: diff 2026-01-30 2026-01-31.`,
    { code: 'snapshots_too_few' },
  );
}
