import { z } from 'zod';
import {
  ConfigError,
  directoryHistory,
  type HistoryRow,
  historySchema,
  type Subject,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { pseudonymSettings, pseudonymsOf } from '../../kit/pseudonyms.js';
import { openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { historySummary } from '../history-summary.js';
import { openRowOutput, rowOutputSettings, scratchOf } from '../row-output.js';

/** What a person or an organisation was, from day to day. */
export const history = command({
  settings: z.object({
    ...publishedSettings.shape,
    user: z.string().min(1).optional().describe('The person (a user id), in every organisation and group.'),
    org: z
      .string()
      .min(1)
      .optional()
      .describe('The organisation (its UUID): its record, and all that is in it.'),
    since: z.iso.date().optional().describe('The first day. Default: the oldest that was not pruned.'),
    until: z.iso.date().optional().describe('The last day. Default: the newest.'),
    ...rowOutputSettings.shape,
    output: rowOutputSettings.shape.output.describe(
      'The file to write every interval to, or - for stdout, as text. Default: a table for people.',
    ),
    ...pseudonymSettings.shape,
    limit: z.int().min(0).default(100).describe('Lines of the table for people.'),
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { since, until, limit } = settings;
    const subject = subjectOf(settings);
    const pseudonyms = pseudonymsOf(settings);
    const output =
      settings.output === undefined ? undefined : await openRowOutput(settings.output, settings, context);
    const storage = await openRoot(settings);
    const places = { scratch: scratchOf(settings, context), signal: context.signal };
    const found = await directoryHistory({ storage, subject, since, until, pseudonyms, ...places });
    const summary = historySummary({ subject, history: found, limit });
    async function* rows(): AsyncGenerator<HistoryRow[]> {
      for await (const batch of found.rows()) {
        for (const row of batch) summary.add(row);
        yield batch;
      }
    }
    if (output) return await output.write(historySchema, rows(), summary.totals);
    for await (const _ of rows());
    context.stdout.write(`${summary.lines().join('\n')}\n`);
    return 0;
  },
});

function subjectOf({ user, org }: { user?: string | undefined; org?: string | undefined }): Subject {
  if (user !== undefined && org === undefined) return { user };
  if (org !== undefined && user === undefined) return { organization: org };
  throw new ConfigError('Say whose history: --user ID or --org UUID, one of the two.', {
    code: 'history_of_whom',
  });
}
