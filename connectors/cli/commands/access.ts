import { join } from 'node:path';
import { z } from 'zod';
import {
  type AccessRow,
  effectiveAccess,
  effectiveAccessSchema,
  STAGING,
  selectAccess,
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
import { type AccessKind, accessKinds, accessTally } from '../access-tally.js';
import { checkLocal, fileFormatSettings, sinkOfFile } from '../formats.js';
import { writeToStdout } from '../stdout.js';

const STDOUT = '-';

/** The question that a list of users with a role each does not answer. */
export const access = command({
  settings: z.object({
    ...publishedSettings.shape,
    runDate: z.iso.date().optional().describe('The day of the snapshot. Default: the newest.'),
    to: z.string().min(1).default(STDOUT).describe('The file to write, or - for stdout, as text.'),
    ...fileFormatSettings.shape,
    overwrite: z.boolean().default(false).describe('Replace the file of --to, where there is one.'),
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
    fileMode: fileModeSettings.shape.fileMode.describe('Mode of the file of --to. This is personal data.'),
    state: stateSettings.shape.state.describe(
      "A local folder for temporary files, in _staging below it. Default: the user's state folder.",
    ),
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { to, user: users, org: organizations, only, runDate, state } = settings;
    const { stdout, stderr, environment, signal } = context;
    const sink = sinkOfFile(to === STDOUT ? undefined : to, settings);
    const mode = Number.parseInt(settings.fileMode, 8);
    const file = { path: to, flag: '--to', mode, overwrite: settings.overwrite };
    if (to !== STDOUT) {
      checkLocal(to, file.flag);
      await checkAbsent(file);
    }
    const storage = await openRoot({ out: settings.out, storageOption: settings.storageOption });
    const scratch = join(state ?? userState(environment), STAGING);
    const isAbout = selectAccess({ users, organizations });
    const tally = accessTally();
    let written = 0;
    let isWhole = false;
    async function* batches(): AsyncGenerator<AccessRow[]> {
      const all = effectiveAccess({ storage, scratch, signal, ...(runDate !== undefined && { runDate }) });
      for await (const rows of all) {
        const about = rows.filter(isAbout);
        for (const row of about) tally.add(row);
        const wanted = only ? about.filter((row) => only.some((kind) => accessKinds[kind](row))) : about;
        written += wanted.length;
        if (wanted.length > 0) yield wanted;
      }
      isWhole = true;
    }
    const bytes = sink.encode(effectiveAccessSchema, batches());
    if (to === STDOUT) {
      const exitCode = await writeToStdout(bytes, context);
      if (isWhole) stderr.write(`${tally.summary(written).join('\n')}\n`);
      return exitCode;
    }
    const size = await writeOutputFile(bytes, file);
    stdout.write(
      `${[...tally.summary(written), `  in ${to}: ${sink.format}, ${count(size)} bytes`].join('\n')}\n`,
    );
    return 0;
  },
});
