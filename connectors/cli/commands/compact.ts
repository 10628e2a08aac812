import { z } from 'zod';
import { compact as compactRunDate, compactSettings } from '../../../src/index.js';
import { command } from '../command.js';
import {
  fileModeSettings,
  openRoot,
  publishedSettings,
  rootSettings,
  stateFolder,
  stateSettings,
} from '../root.js';
import { filesOf } from '../summary.js';

/** Many small files cost a query more than the rows in them. */
export const compact = command({
  name: 'compact',
  summary: 'Lays a published day out anew: one file a day, or one folder an organisation.',
  settings: z.object({
    ...publishedSettings.shape,
    ...compactSettings.shape,
    json: z.boolean().default(false).describe('Print the manifest.'),
    ...fileModeSettings.shape,
    ...stateSettings.shape,
    ...rootSettings.shape,
  }),
  async run({ json, ...settings }, { stdout, environment, signal }) {
    const storage = await openRoot(settings);
    const state = stateFolder(settings, environment);
    const { manifest, isChanged } = await compactRunDate({ ...settings, storage, state, signal });
    const { run_date: runDate, layout, totals } = manifest;
    const verb = isChanged ? 'is laid out' : 'was laid out before as';
    stdout.write(
      json ? `${JSON.stringify(manifest)}\n` : `${runDate} ${verb} ${layout}: ${filesOf(totals)}\n`,
    );
    return 0;
  },
});
