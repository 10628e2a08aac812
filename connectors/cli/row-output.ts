import { join } from 'node:path';
import { z } from 'zod';
import { type Batch, ConfigError, isLocalLocation, STAGING, type StreamSchema } from '../../src/index.js';
import type { Context } from '../kit/command.js';
import { count } from '../kit/counts.js';
import { checkAbsent, writeOutputFile } from '../kit/output-file.js';
import { fileModeSettings, stateSettings, userState } from '../kit/root.js';
import { fileFormatSettings, sinkOfFile } from './formats.js';
import { writeToStdout } from './stdout.js';

export const STDOUT = '-';

/** Where the rows of a table go that is derived from snapshots. */
export const rowOutputSettings = z.object({
  output: z.string().min(1).optional().describe('The file to write the rows to, or - for stdout, as text.'),
  ...fileFormatSettings.shape,
  overwrite: z.boolean().default(false).describe('Replace the file of --output, where there is one.'),
  fileMode: fileModeSettings.shape.fileMode.describe('Mode of the file of --output. This is personal data.'),
  state: stateSettings.shape.state.describe(
    "A local folder for temporary files, in _staging below it. Default: the user's state folder.",
  ),
});
type RowOutputSettings = z.output<typeof rowOutputSettings>;

/** Rows on their way to one place. */
export interface RowOutput {
  /**
   * Writes all rows, and then the summary: on stderr where stdout has the rows, unless their reader left early.
   * @returns the exit code
   */
  write(schema: StreamSchema, batches: AsyncIterable<Batch>, summary: () => string[]): Promise<number>;
}

/**
 * Checks the place of the rows before anything is read.
 * @throws ConfigError `output_not_local`, `file_exists`, `stdout_needs_text`, `format_unknown`
 */
export async function openRowOutput(
  path: string,
  settings: RowOutputSettings,
  context: Context,
): Promise<RowOutput> {
  const { stdout, stderr } = context;
  const isStdout = path === STDOUT;
  const sink = sinkOfFile(isStdout ? undefined : path, settings);
  const mode = Number.parseInt(settings.fileMode, 8);
  const file = { path, flag: '--output', mode, overwrite: settings.overwrite };
  if (!isStdout) {
    if (!isLocalLocation(path)) throw notLocal();
    await checkAbsent(file);
  }
  return {
    async write(schema, batches, summary) {
      let isEnded = false;
      async function* watched(): AsyncGenerator<Batch> {
        yield* batches;
        isEnded = true;
      }
      const bytes = sink.encode(schema, watched());
      if (isStdout) {
        const exitCode = await writeToStdout(bytes, context);
        if (isEnded) stderr.write(`${summary().join('\n')}\n`);
        return exitCode;
      }
      const size = await writeOutputFile(bytes, file);
      const where = `  in ${path}: ${sink.format}, ${count(size)} bytes`;
      stdout.write(`${[...summary(), where].join('\n')}\n`);
      return 0;
    },
  };
}

/** A folder for temporary files. */
export const scratchOf = ({ state }: Pick<RowOutputSettings, 'state'>, { environment }: Context): string =>
  join(state ?? userState(environment), STAGING);

const notLocal = (): ConfigError =>
  new ConfigError('--output takes a local file, or - for stdout. Write a file, and copy it to the bucket.', {
    code: 'output_not_local',
  });
