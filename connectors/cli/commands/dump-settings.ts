import { z } from 'zod';
import { snapshotSettings } from '../../../src/index.js';
import { connectionSettings } from '../connection.js';
import { formatSettings } from '../formats.js';
import { progressSettings } from '../progress.js';
import { fileModeSettings, rootSettings, stateSettings } from '../root.js';

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
  ...fileModeSettings.shape,
  ...stateSettings.shape,
  ...rootSettings.shape,
  ...connectionSettings.shape,
});
export type DumpSettings = z.output<typeof dumpSettings>;
