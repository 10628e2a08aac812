import { join } from 'node:path';
import { z } from 'zod';
import {
  type ChangeRow,
  changesSchema,
  diffSnapshots,
  type Manifest,
  STAGING,
  snapshotSettings,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { count } from '../../kit/counts.js';
import { checkAbsent, writeOutputFile } from '../../kit/output-file.js';
import {
  fileModeSettings,
  openRoot,
  publishedSettings,
  rootSettings,
  stateSettings,
  userState,
} from '../../kit/root.js';
import { changeSummary } from '../change-summary.js';
import { checkLocal, fileFormatSettings, sinkOfFile } from '../formats.js';
import { writeToStdout } from '../stdout.js';
import { streamChoice } from '../stream-choice.js';

const STDOUT = '-';
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
    output: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The file to write every change to, or - for stdout, as text. Default: a summary for people.',
      ),
    ...fileFormatSettings.shape,
    overwrite: z.boolean().default(false).describe('Replace the file of --output, where there is one.'),
    limit: z.int().min(0).default(20).describe('Lines of the summary for each kind of change.'),
    exitCode: z
      .boolean()
      .default(false)
      .describe(
        'Exit with 3 when something changed, or could not be compared; 0 means that all is the same.',
      ),
    fileMode: fileModeSettings.shape.fileMode.describe(
      'Mode of the file of --output. This is personal data.',
    ),
    state: stateSettings.shape.state.describe(
      "A local folder for temporary files, in _staging below it. Default: the user's state folder.",
    ),
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { output, from, to, streams, org: organizations, limit, overwrite } = settings;
    const { stdout, stderr, environment, signal } = context;
    const file = {
      path: output ?? '',
      flag: '--output',
      mode: Number.parseInt(settings.fileMode, 8),
      overwrite,
    };
    const sink =
      output === undefined ? undefined : sinkOfFile(output === STDOUT ? undefined : output, settings);
    if (output !== undefined && output !== STDOUT) {
      checkLocal(output, file.flag);
      await checkAbsent(file);
    }
    const storage = await openRoot(settings);
    const scratch = join(settings.state ?? userState(environment), STAGING);
    const found = await diffSnapshots({ storage, from, to, streams, organizations, scratch, signal });
    const summary = changeSummary(limit);
    async function* changes(): AsyncGenerator<ChangeRow[]> {
      for await (const rows of found.changes()) {
        for (const row of rows) summary.add(row);
        yield rows;
      }
    }
    const heading = headingOf(found.from, found.to);
    let exitCode = 0;
    if (sink === undefined) {
      for await (const _ of changes());
      stdout.write(`${[heading, ...summary.lines()].join('\n')}\n`);
    } else if (output === STDOUT) {
      exitCode = await writeToStdout(sink.encode(changesSchema, changes()), context);
      stderr.write(`${[heading, ...summary.totals()].join('\n')}\n`);
    } else {
      const size = await writeOutputFile(sink.encode(changesSchema, changes()), file);
      const where = `  in ${output}: ${sink.format}, ${count(size)} bytes`;
      stdout.write(`${[heading, ...summary.totals(), where].join('\n')}\n`);
    }
    return settings.exitCode && summary.rows() > 0 && exitCode === 0 ? CHANGED : exitCode;
  },
});

const headingOf = (from: Manifest, to: Manifest): string => {
  const day = ({ run_date, status }: Manifest) =>
    status === 'complete' ? run_date : `${run_date} (${status})`;
  return `changes from ${day(from)} to ${day(to)}`;
};
