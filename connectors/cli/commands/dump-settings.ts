import { z } from 'zod';
import { snapshotSettings } from '../../../src/index.js';
import { connectionSettings } from '../connection.js';
import { formatSettings } from '../formats.js';
import { progressSettings } from '../progress.js';
import { rootSettings } from '../root.js';

/** Everything that `dump` may be told. */
export const dumpSettings = z.object({
  out: z
    .string()
    .min(1)
    .default('./out')
    .describe(
      'The folder or bucket (s3://bucket/prefix) that gets the files, or - to stream one table to stdout.',
    ),
  ...formatSettings.shape,
  ...snapshotSettings.shape,
  dryRun: z
    .boolean()
    .default(false)
    .describe('List the organisations, tell what a dump would cost, write nothing.'),
  json: z
    .boolean()
    .default(false)
    .describe('Print the manifest instead of the summary; with several formats one a line.'),
  ...progressSettings.shape,
  fileMode: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be an octal mode such as 640')
    .default('600')
    .describe('Mode of the files; folders get x where the files have r. This is personal data.'),
  state: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A local folder for what is not published yet. Default: _staging in --out (which must be on the same disk), and for a bucket the state folder of the user.',
    ),
  ...rootSettings.shape,
  ...connectionSettings.shape,
});
export type DumpSettings = z.output<typeof dumpSettings>;
