import { z } from 'zod';
import {
  type AccessRow,
  effectiveAccess,
  effectiveAccessSchema,
  selectAccess,
  snapshotSettings,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { pseudonymSettings, pseudonymsOf } from '../../kit/pseudonyms.js';
import { openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { type AccessKind, accessKinds, accessTally } from '../access-tally.js';
import { openRowOutput, rowOutputSettings, STDOUT, scratchOf } from '../row-output.js';

/** The question that a list of users with a role each does not answer. */
export const access = command({
  settings: z.object({
    ...publishedSettings.shape,
    runDate: z.iso.date().optional().describe('The day of the snapshot. Default: the newest.'),
    ...rowOutputSettings.shape,
    output: rowOutputSettings.shape.output.default(STDOUT),
    user: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Only these users (ids), and what may be about anybody because it was not read.'),
    org: snapshotSettings.shape.org.describe(
      'Only in these organisations (UUIDs), and what may be about any because it was not read.',
    ),
    only: z
      .array(z.enum(Object.keys(accessKinds) as [AccessKind, ...AccessKind[]]))
      .min(1)
      .optional()
      .describe(
        'Only rows with a blanket permission, of orphans (in a group, and in no organisation), or unknown ones.',
      ),
    ...pseudonymSettings.shape,
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { output: path, user: users, org: organizations, only, runDate } = settings;
    const pseudonyms = pseudonymsOf(settings);
    const output = await openRowOutput(path, settings, context);
    const storage = await openRoot({ out: settings.out, storageOption: settings.storageOption });
    const scratch = scratchOf(settings, context);
    const isAbout = selectAccess({ users, organizations });
    const tally = accessTally();
    let written = 0;
    async function* batches(): AsyncGenerator<AccessRow[]> {
      const { signal } = context;
      const all = effectiveAccess({ storage, runDate, pseudonyms, scratch, signal });
      for await (const rows of all) {
        const about = rows.filter(isAbout);
        for (const row of about) tally.add(row);
        const wanted = only ? about.filter((row) => only.some((kind) => accessKinds[kind](row))) : about;
        written += wanted.length;
        if (wanted.length > 0) yield wanted;
      }
    }
    return await output.write(effectiveAccessSchema, batches(), () => tally.summary(written));
  },
});
