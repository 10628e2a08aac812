import { join } from 'node:path';
import { LockedError } from '../errors.js';
import { tidyDays } from '../lake/day.js';
import { currentOf, readLog, runDatesOf } from '../lake/log.js';
import { newRunId } from '../lake/paths.js';
import { rootSeenFrom } from '../run/staging-parent.js';
import { dropUnfinished, listUnfinished } from '../run/unfinished-runs.js';
import { STAGING } from '../storage/own-folders.js';
import { sweepTemporaries, temporariesIn } from '../storage/temporary.js';
import { findUnreferenced, manifestNaming } from './leftovers.js';
import { orFailed } from './survey.js';
import { onDay, type Work } from './work.js';

/** Drops the unfinished runs of the root: what they have read names everybody. */
export async function dropRuns(work: Work): Promise<void> {
  const { storage, parent, result } = work;
  const root = rootSeenFrom(parent, storage);
  const unfinished = (await listUnfinished(parent)).filter(({ roots }) => roots.includes(root));
  for (const run_date of new Set(unfinished.map((run) => run.run_date)))
    await orFailed(result.failed, run_date, async () => {
      await onDay(work, run_date, async () => await dropUnfinished(parent, { run_date, root }));
      result.droppedRuns += unfinished.filter((run) => run.run_date === run_date).length;
    });
}

/** Removes what runs that died have left, and reports what else may name the person. */
export async function settleAll(work: Work): Promise<void> {
  const { storage, parent, clock, signal, survey, result } = work;
  await sweepTemporaries(parent);
  await tidyDays({ storage, runId: newRunId(clock.now()), clock, signal, log: work.log });
  const log = await readLog(storage, work.log);
  const known = new Set(result.failed.map(({ runDate }) => runDate));
  const { runDates, foreign } = await findUnreferenced({ storage, log }, known);
  for (const runDate of runDates)
    await orFailed(result.failed, runDate, () => onDay(work, runDate, async () => {}));
  for (const path of foreign) result.left.push({ path, problem: 'foreign' });
  // The current ones and those that were replaced.
  for (const { entry } of log)
    if (entry?.manifest_sha256)
      await orFailed(result.failed, entry.run_date, async () => {
        const path = await manifestNaming(storage, entry, survey.texts);
        if (path !== undefined) result.left.push({ path, problem: 'manifest' });
      });
  const stagings = new Set([
    parent,
    ...(storage.localRoot === undefined ? [] : [join(storage.localRoot, STAGING)]),
  ]);
  for (const staging of stagings)
    for (const name of await temporariesIn(staging))
      result.left.push({ path: join(staging, name), problem: 'temporary' });
  for (const runDate of runDatesOf(log)) {
    const [before, now] = [work.log, log].map((known) => currentOf(known, runDate));
    if (before?.seq === now?.seq || now?.action === 'erase' || now?.action === 'prune') continue;
    const message = `Another run published ${runDate} meanwhile. Run the same command again.`;
    const { code, failure } = new LockedError(message, 'changed_meanwhile');
    result.failed.push({ runDate, code, message, failure });
  }
}
