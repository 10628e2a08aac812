import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { ConfigError } from '../errors.js';
import type { SnapshotSettings } from './settings.js';
import { type LeftRun, listStagings, type RunHeader } from './staging.js';

/** An unfinished run may be gone on with for this long after it began, in milliseconds. */
export const RESUMABLE_FOR = 24 * 60 * 60 * 1000;

interface Choice {
  /** The folder that holds the stagings. */
  parent: string;
  settings: SnapshotSettings;
  /** Everything that shapes the files, as JSON. */
  identity: unknown;
  clock: Clock;
}

/**
 * The run to go on with, or a new one. An unfinished run without a given date goes on across midnight and keeps its
 * date; one that a guard refused only goes on when its date is asked for, or is today's.
 * @throws ConfigError `nothing_to_resume`
 */
export async function chooseRun({ parent, settings, identity, clock }: Choice): Promise<RunHeader> {
  const now = clock.now();
  const today = new Date(now).toISOString().slice(0, 10);
  const fingerprint = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  const isOpen = (left: LeftRun): boolean =>
    left.fingerprint === fingerprint &&
    now - Date.parse(left.started_at) < RESUMABLE_FOR &&
    (left.run_date === (settings.runDate ?? today) ||
      (settings.runDate === undefined && !left.run_date_given && !left.refused));
  const left = settings.fresh ? undefined : (await listStagings(parent)).find(isOpen);
  if (left) return left;
  if (settings.resume) {
    throw new ConfigError(
      'There is no unfinished run of this folder, run date and configuration that is younger than 24 hours. Leave out --resume to begin one.',
      { code: 'nothing_to_resume' },
    );
  }
  const startedAt = new Date(now).toISOString();
  return {
    run_id: `${startedAt.replace(/[-:]|\.\d+/g, '')}-${randomUUID().slice(0, 8)}`,
    run_date: settings.runDate ?? today,
    run_date_given: settings.runDate !== undefined,
    started_at: startedAt,
    fingerprint,
  };
}
