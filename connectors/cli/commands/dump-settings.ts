import { z } from 'zod';
import { marks, snapshotSettings } from '../../../src/index.js';
import { connectionSettings } from '../../kit/connection.js';
import { finishSettings } from '../../kit/finish-settings.js';
import { progressSettings } from '../../kit/progress.js';
import { pseudonymSettings } from '../../kit/pseudonyms.js';
import { fileModeSettings, rootSettings, stateSettings } from '../../kit/root.js';
import { formatSettings } from '../formats.js';

/** The settings of `dump`. */
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
  ...pseudonymSettings.shape,
  dryRun: z
    .boolean()
    .default(false)
    .describe(
      'List the organisations by name, and what each stream would cost in requests and minutes. Write nothing.',
    )
    .register(marks, { isNoEvidence: true }),
  json: z
    .boolean()
    .default(false)
    .describe(
      'Print JSON instead of the summary, one line a format: location, log_head and manifest; of a dry run, its costs.',
    )
    .register(marks, { isNoEvidence: true }),
  ...progressSettings.shape,
  ...finishSettings.shape,
  ...fileModeSettings.shape,
  ...stateSettings.shape,
  ...rootSettings.shape,
  ...connectionSettings.shape,
});
export type DumpSettings = z.output<typeof dumpSettings>;
