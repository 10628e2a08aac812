import type { Stream } from '../streams/stream.js';
import { personTexts } from './person-texts.js';
import { type DayPlan, isNothing, planDay } from './plan-day.js';
import type { RowEditor } from './row-editor.js';
import { orFailed } from './survey.js';
import { editors, type Work } from './work.js';

/** What an erasure will change. */
export interface Plans {
  /** Of the snapshots in which something changes. */
  all: Map<string, DayPlan>;
  /** Those of them that have an address or a name of the person in rows that are not about the person. */
  quoting: string[];
}

/** Reads every row of every snapshot. A snapshot that cannot be read is noted as failed. */
export async function planAll(work: Work): Promise<Plans> {
  const { storage, signal, survey, settings, result } = work;
  const { texts } = survey;
  const plans: Plans = { all: new Map(), quoting: [] };
  const byId: Work = { ...work, survey: { ...survey, texts: personTexts(settings.user) } };
  for (const [runDate, stored] of survey.snapshots)
    await orFailed(result.failed, runDate, async () => {
      const request = { storage, stored, signal };
      const editorOf = editors(work, settings.replaceBy ?? 'remove');
      const plan = await planDay({ ...request, editorOf });
      if (isNothing(plan)) return;
      plans.all.set(runDate, plan);
      if (!texts.isLearned || Object.keys(plan.replaced).length === 0) return;
      const quoted = await planDay({ ...request, editorOf: quotesOnly(work, byId) });
      if (!isNothing(quoted)) plans.quoting.push(runDate);
    });
  return plans;
}

/** Finds the rows that the id alone would not find, or not all of. */
const quotesOnly =
  (work: Work, byId: Work) =>
  (stream: Stream): RowEditor => {
    const [withAll, withId] = [editors(work, 'leave')(stream), editors(byId, 'leave')(stream)];
    return (row) => {
      const found = withAll(row);
      return found && JSON.stringify(found) !== JSON.stringify(withId(row) ?? row) ? found : undefined;
    };
  };
