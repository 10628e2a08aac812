import { z } from 'zod';
import { prune as pruneRoot, pruneSettings } from '../../../src/index.js';
import { command } from '../../kit/command.js';
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
    const { keptFrom, pruned, kept } = result;
    if (json) {
      stdout.write(`${JSON.stringify(asData(result))}\n`);
    } else {
      const verb = settings.dryRun ? 'would be pruned' : 'pruned';
      for (const { runDate, ...dated } of pruned) stdout.write(`${runDate}: ${verb}, ${filesOf(dated)}\n`);
      for (const { runDate, message } of kept) stdout.write(`${runDate}: kept. ${message}\n`);
      const removed = settings.dryRun ? ' Nothing was removed.' : '';
      stdout.write(`Snapshots from ${keptFrom} on are kept.${removed}\n`);
    }
    const failed = kept.filter(({ failure }) => failure !== undefined);
    if (failed.length === 0) return 0;
    return failed.every(({ failure }) => failure === 'transient') ? 75 : 1;
  },
});
