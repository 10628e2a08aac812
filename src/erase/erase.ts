import { systemClock } from '../clock.js';
import { LockedError } from '../errors.js';
import { erasedPerson, newSalt } from '../lake/erasures.js';
import { existingLog } from '../lake/existing-log.js';
import { checkLog } from '../lake/log.js';
import { stagingParent } from '../run/staging-parent.js';
import { parseSettings } from '../settings.js';
import { LocalStorage } from '../storage/local.js';
import { withScratch } from '../storage/scratch.js';
import { eraseDay } from './erase-day.js';
import { type EraseOptions, type ErasureResult, eraseSettings, noteErased } from './erasure.js';
import { type DayPlan, isNothing } from './plan-day.js';
import { planAll } from './plan-erasure.js';
import type { OwnRows } from './row-editor.js';
import { orFailed, surveyPerson } from './survey.js';
import { dropRuns, settleAll } from './tidy.js';
import { editors, onDay, type Work } from './work.js';

/**
 * Erases one person from every snapshot of a root, each by one commit or two. Whoever is interrupted runs the same again.
 * @throws ConfigError `snapshot_missing`, `state_missing`; StorageError
 */
export async function erase(options: EraseOptions): Promise<ErasureResult> {
  const { storage, signal, clock = systemClock } = options;
  const settings = parseSettings(eraseSettings, options, 'an erasure');
  const parent = stagingParent(options);
  const log = await existingLog(storage);
  checkLog(log, storage);
  const survey = await surveyPerson({ storage, log, signal }, settings.user);
  for (const text of settings.knownAs ?? []) survey.texts.learn('phrase', text);
  const person = erasedPerson(survey.salt ?? newSalt(), settings.user);
  const result: ErasureResult = {
    isKnown: survey.isKnown,
    snapshots: survey.snapshots.size,
    erased: [],
    erasedBefore: [...survey.erasedBefore].map(([runDate, erasedAt]) => ({ runDate, erasedAt })),
    failed: survey.failed,
    droppedRuns: 0,
    left: [],
  };
  if (!survey.isKnown) return result;
  const work: Work = { storage, parent, clock, signal, log, survey, person, settings, result };
  const plans = await planAll(work);
  if (settings.dryRun) {
    for (const [runDate, plan] of plans.all) noteErased(result, runDate, plan);
    return result;
  }
  await dropRuns(work);
  // The rows that say what else the person is called go last: an erasure that is interrupted finds them again.
  for (const runDate of plans.quoting) await eraseDate(work, { runDate, ownRows: 'leave' });
  const isWaiting = result.failed.some(({ runDate }) => plans.quoting.includes(runDate));
  for (const [runDate, plan] of plans.all)
    if (isWaiting) noteWaiting(result, runDate);
    else await eraseDate(work, { runDate, ownRows: settings.replaceBy ?? 'remove', plan });
  await settleAll(work);
  return result;
}

interface DateErasure {
  runDate: string;
  ownRows: OwnRows;
  plan?: DayPlan;
}

async function eraseDate(work: Work, { runDate, ownRows, plan }: DateErasure): Promise<void> {
  const { parent, person, settings, result } = work;
  await orFailed(result.failed, runDate, () =>
    onDay(work, runDate, (day, signal) =>
      withScratch(parent, async (folder) => {
        const scratch = new LocalStorage(folder);
        const reason = settings.reason ?? null;
        const done = await eraseDay({
          day,
          plan,
          editorOf: editors(work, ownRows),
          person,
          reason,
          scratch,
          signal,
        });
        if (done && !isNothing(done)) noteErased(result, runDate, done);
      }),
    ),
  );
}

/** Rows that say what else the person is called stay until no day quotes it any more. */
function noteWaiting({ failed }: ErasureResult, runDate: string): void {
  if (failed.some((known) => known.runDate === runDate)) return;
  const message = `${runDate} waits for another day, whose rows quote an address or a name that only this one may know. Run the same command again.`;
  const { code, failure } = new LockedError(message, 'waits_for_other_day');
  failed.push({ runDate, code, message, failure });
}
