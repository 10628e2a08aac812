import { z } from 'zod';
import {
  type ChangeRow,
  changesSchema,
  diffSnapshots,
  type Manifest,
  snapshotSettings,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { pseudonymSettings, pseudonymsOf } from '../../kit/pseudonyms.js';
import { openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { changeSummary } from '../change-summary.js';
import { openRowOutput, rowOutputSettings, scratchOf } from '../row-output.js';
import { streamChoice } from '../stream-choice.js';

/** What `--exit-code` answers when something changed, or is not known. */
const CHANGED = 3;

/** What changed between two days, for people or for programs. */
export const diff = command({
  positionals: [
    { key: 'from', describe: 'The earlier day. Default: the complete snapshot before <to>.' },
    { key: 'to', describe: 'The later day. Default: the newest complete snapshot.' },
  ],
  settings: z.object({
    ...publishedSettings.shape,
    from: z.iso.date().optional(),
    to: z.iso.date().optional(),
    streams: z
      .array(streamChoice)
      .min(1)
      .optional()
      .describe('Only these tables. Default: all that one of the two days has.'),
    org: snapshotSettings.shape.org.describe('Only in these organisations (UUIDs).'),
    ...rowOutputSettings.shape,
    output: rowOutputSettings.shape.output.describe(
      'The file to write every change to, or - for stdout, as text. Default: a summary for people.',
    ),
    ...pseudonymSettings.shape,
    limit: z.int().min(0).default(20).describe('Lines of the summary for each kind of change.'),
    exitCode: z
      .boolean()
      .default(false)
      .describe(
        'Exit with 3 when something changed, or could not be compared; 0 means that all is the same.',
      ),
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { from, to, streams, org: organizations, limit } = settings;
    const pseudonyms = pseudonymsOf(settings);
    const output =
      settings.output === undefined ? undefined : await openRowOutput(settings.output, settings, context);
    const storage = await openRoot(settings);
    const places = { scratch: scratchOf(settings, context), signal: context.signal };
    const found = await diffSnapshots({ storage, from, to, streams, organizations, pseudonyms, ...places });
    const summary = changeSummary(limit);
    async function* changes(): AsyncGenerator<ChangeRow[]> {
      for await (const rows of found.changes()) {
        for (const row of rows) summary.add(row);
        yield rows;
      }
    }
    const heading = headingOf(found.from, found.to);
    let exitCode = 0;
    if (output) exitCode = await output.write(changesSchema, changes(), () => [heading, ...summary.totals()]);
    else {
      for await (const _ of changes());
      context.stdout.write(`${[heading, ...summary.lines()].join('\n')}\n`);
    }
    return settings.exitCode && summary.rows() > 0 && exitCode === 0 ? CHANGED : exitCode;
  },
});

const headingOf = (from: Manifest, to: Manifest): string => {
  const day = ({ run_date, status }: Manifest) =>
    status === 'complete' ? run_date : `${run_date} (${status})`;
  return `changes from ${day(from)} to ${day(to)}`;
};
