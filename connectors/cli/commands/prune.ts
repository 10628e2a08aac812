import { z } from 'zod';
import { prune as pruneRoot, pruneSettings } from '../../../src/index.js';
import { command } from '../command.js';
import { asData } from '../options.js';
import { fileModeSettings, openRoot, publishedSettings, rootSettings } from '../root.js';
import { filesOf } from '../summary.js';

/** Personal data is kept for as long as it is needed; what it was stays told. */
export const prune = command({
  name: 'prune',
  summary: 'Removes the files of old snapshots; their manifests stay, marked as pruned.',
  settings: z.object({
    ...publishedSettings.shape,
    ...pruneSettings.shape,
    json: z.boolean().default(false).describe('Print the result as JSON.'),
    ...fileModeSettings.shape,
    ...rootSettings.shape,
  }),
  async run({ json, ...settings }, { stdout, signal }) {
    const { keptFrom, pruned, left } = await pruneRoot({
      ...settings,
      storage: await openRoot(settings),
      signal,
    });
    const failed = left.filter(({ failure }) => failure !== undefined);
    if (json) {
      stdout.write(`${JSON.stringify(asData({ keptFrom, pruned, left }))}\n`);
    } else {
      const verb = settings.dryRun ? 'would be pruned' : 'pruned';
      for (const { runDate, ...dated } of pruned) stdout.write(`${runDate}: ${verb}, ${filesOf(dated)}\n`);
      for (const { runDate, message } of left) stdout.write(`${runDate}: stays. ${message}\n`);
      const kept = settings.dryRun ? 'Nothing was removed; without --dry-run the' : 'The';
      stdout.write(`${kept} snapshots from ${keptFrom} on stay.\n`);
    }
    if (failed.length === 0) return 0;
    return failed.every(({ failure }) => failure === 'transient') ? 75 : 1;
  },
});
