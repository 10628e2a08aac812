import { z } from 'zod';
import { type KeepReason, type PrunePlan, prune as pruneRoot, pruneSettings } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { count, counted } from '../../kit/counts.js';
import { asData } from '../../kit/options.js';
import { fileModeSettings, openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { filesOf } from '../summary.js';

/** Personal data is kept for as long as it is needed; the evidence of it stays. */
export const prune = command({
  settings: z.object({
    ...publishedSettings.shape,
    ...pruneSettings.shape,
    json: z.boolean().default(false).describe('Print the result, or the plan, as JSON.'),
    ...fileModeSettings.shape,
    ...rootSettings.shape,
  }),
  async run({ json, ...settings }, { stdout, signal }) {
    const result = await pruneRoot({ ...settings, storage: await openRoot(settings), signal });
    const text = json ? JSON.stringify(asData(result)) : report(result, settings.dryRun);
    stdout.write(`${text}\n`);
    const { failed } = result;
    if (failed.length === 0) return 0;
    return failed.every(({ failure }) => failure === 'transient') ? 75 : 1;
  },
});

/** A plan gives the reason for each day that is kept; of what was done, what changed is enough. */
function report({ pruned, kept, failed }: PrunePlan, isPlan: boolean): string {
  const verb = isPlan ? 'would be pruned' : 'pruned';
  const lines = [
    ...pruned.map((dated) => ({ dated, text: `${verb}, ${filesOf(dated)}` })),
    ...failed.map((dated) => ({ dated, text: `not pruned. ${dated.message}` })),
    ...(isPlan ? kept : []).map((dated) => ({
      dated,
      text: `kept: ${dated.reasons.map(reason).join(', ')}`,
    })),
  ].toSorted((a, b) => (a.dated.runDate < b.dated.runDate ? -1 : 1));
  const sum = `${counted(pruned.length, 'snapshot')} ${verb}, ${count(kept.length + failed.length)} kept.`;
  return [
    ...lines.map(({ dated, text }) => `${dated.runDate}: ${text}`),
    isPlan ? `${sum} Nothing was removed.` : sum,
  ].join('\n');
}

/** `weekly (2 of 5)` */
const reason = ({ rule, detail }: KeepReason): string => (detail === '' ? rule : `${rule} (${detail})`);
