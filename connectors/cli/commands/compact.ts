import { z } from 'zod';
import { type CompactPlan, compact as compactRunDate, compactSettings } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { count } from '../../kit/counts.js';
import { asData } from '../../kit/options.js';
import {
  fileModeSettings,
  openRoot,
  publishedSettings,
  rootSettings,
  stateFolder,
  stateSettings,
} from '../../kit/root.js';
import { filesOf } from '../summary.js';

/** Many small files cost a query more than the rows in them. */
export const compact = command({
  settings: z.object({
    ...publishedSettings.shape,
    ...compactSettings.shape,
    json: z.boolean().default(false).describe('Print JSON: the plan, and the current manifest.'),
    ...fileModeSettings.shape,
    ...stateSettings.shape,
    ...rootSettings.shape,
  }),
  async run({ json, ...settings }, { stdout, environment, signal }) {
    const storage = await openRoot(settings);
    const state = stateFolder(settings, environment);
    const { plan, manifest } = await compactRunDate({ ...settings, storage, state, signal });
    if (json) stdout.write(`${JSON.stringify({ plan: asData(plan), manifest })}\n`);
    else if (plan.tables.length === 0) stdout.write(`${plan.runDate}: compacted already, nothing to do\n`);
    else if (settings.dryRun) stdout.write(`${planned(plan)}\nNothing was changed.\n`);
    else stdout.write(`${plan.runDate}: compacted to ${filesOf(manifest.totals)}\n`);
    return 0;
  },
});

const planned = ({ runDate, tables }: CompactPlan): string =>
  tables
    .map(
      ({ table, rows, ...files }) =>
        `${runDate}: ${table} would be combined: ${filesOf(files)}, ${count(rows)} rows`,
    )
    .join('\n');
