import { z } from 'zod';
import {
  type ErasedDate,
  type ErasureResult,
  eraseSettings,
  erase as eraseUser,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { count, counted } from '../../kit/counts.js';
import { asData } from '../../kit/options.js';
import {
  fileModeSettings,
  openRoot,
  publishedSettings,
  rootSettings,
  stateFolder,
  stateSettings,
} from '../../kit/root.js';

/** Who asks to be forgotten is forgotten in every snapshot, and the evidence of the rest stays. */
export const erase = command({
  settings: z.object({
    ...publishedSettings.shape,
    ...eraseSettings.shape,
    json: z.boolean().default(false).describe('Print the result, or the plan, as JSON.'),
    ...fileModeSettings.shape,
    ...stateSettings.shape,
    ...rootSettings.shape,
  }),
  async run({ json, ...settings }, { stdout, environment, signal }) {
    const storage = await openRoot(settings);
    const state = stateFolder(settings, environment);
    const result = await eraseUser({ ...settings, storage, state, signal });
    stdout.write(
      json ? `${JSON.stringify(asData(result))}\n` : `${report(result, settings.dryRun).join('\n')}\n`,
    );
    return exitCodeOf(result, settings.dryRun);
  },
});

/** Who was not erased completely must not be taken for erased. */
function exitCodeOf({ isKnown, failed, left }: ErasureResult, isPlan: boolean): number {
  if (failed.length > 0) return failed.every(({ failure }) => failure === 'transient') ? 75 : 1;
  return isKnown && (left.length === 0 || isPlan) ? 0 : 1;
}

function report(result: ErasureResult, isPlan: boolean): string[] {
  const { isKnown, erased, erasedBefore, failed, droppedRuns, left } = result;
  const problems = failed.map(({ runDate, message }) => `${runDate}: not erased. ${message}`);
  const snapshots = counted(result.snapshots, 'snapshot');
  if (!isKnown) return [...problems, `No user with this id is in ${snapshots}. Nothing was changed.`];
  const found = erased.map((date) => `${date.runDate}: ${changes(date, isPlan)}`);
  const before = new Set(erasedBefore.map(({ erasedAt }) => erasedAt.slice(0, 10)));
  return [
    ...found,
    ...(before.size > 0 ? [`Erased before on ${[...before].sort().join(', ')}.`] : []),
    ...problems,
    ...(droppedRuns > 0
      ? [`${counted(droppedRuns, 'unfinished run')} dropped: the next dump reads everything again.`]
      : []),
    ...left.map(({ path, problem }) => `left: ${path}: ${WHY_LEFT[problem]}`),
    ...(isPlan ? ['Nothing was changed.'] : [ending(result)]),
  ];
}

const ending = ({ erased, failed, snapshots }: ErasureResult): string =>
  failed.length > 0
    ? 'This user may still be in these snapshots. Run the same command again to finish.'
    : `Erased from ${erased.length} of ${counted(snapshots, 'snapshot')}. A dump reads this user again for as long as the API lists them.`;

const WHY_LEFT = {
  foreign:
    'no run of this connector wrote it, and it may name this user. Look at it, and remove it yourself.',
  temporary:
    'another process has not finished it, and it may name this user. Run the same command again when that one has ended; of another machine, after a day.',
  manifest: 'a message or a setting in this manifest names this user, and a manifest is never changed.',
} as const;

function changes({ removed, replaced }: ErasedDate, isPlan: boolean): string {
  const [remove, change] = isPlan ? ['to remove', 'to change'] : ['removed', 'changed'];
  return [listed(`rows ${remove}`, removed), listed(`rows ${change}`, replaced)].flat().join('; ');
}

/** `rows removed: 2 users, 1 group_members` */
const listed = (what: string, rows: Readonly<Record<string, number>>): string[] => {
  const counts = Object.entries(rows).map(([table, number]) => `${count(number)} ${table}`);
  return counts.length === 0 ? [] : [`${what}: ${counts.join(', ')}`];
};
