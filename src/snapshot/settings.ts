import { z } from 'zod';
import { layouts } from './manifest.js';
import { isUuid } from './partition.js';

/** What a snapshot may be told; the flags of `dump` are made from it. */
export const snapshotSettings = z.object({
  runDate: z.iso
    .date()
    .optional()
    .describe('The day the snapshot is filed under, UTC. Default: today, fixed once at the start.'),
  streams: z
    .array(z.enum(['organizations', 'users']))
    .min(1)
    .default(['organizations', 'users'])
    .describe('What to read; less than both is a scope, and never the newest snapshot.'),
  org: z
    .array(z.string().refine(isUuid, 'must be a UUID'))
    .min(1)
    .optional()
    .describe('Only these organisations (UUIDs): a scope, and never the newest snapshot.'),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe('Organisations read at the same time; 4 to 8 use up the API budget.'),
  rowsPerFile: z
    .int()
    .min(1)
    .default(500_000)
    .describe(
      'Rows after which the next part begins. Parts end with a page: fewer than --page-size lowers that.',
    ),
  layout: z
    .enum(layouts)
    .default('per-org')
    .describe(
      'per-org: a folder for each organisation. per-date: one file a day (or one for each --rows-per-file rows), sorted by organisation.',
    ),
  onOrgFailure: z
    .enum(['stop', 'continue'])
    .default('stop')
    .describe(
      'stop: nothing is published. continue: the rest is, as an incomplete snapshot, which never replaces a complete one.',
    ),
  maxShrink: z
    .number()
    .min(0)
    .max(100)
    .default(50)
    .describe(
      'Percent of the organisations or users of the newest snapshot that may be missing before nothing is published.',
    ),
  force: z
    .boolean()
    .default(false)
    .describe('Publish in spite of --max-shrink, and an incomplete run over a complete snapshot.'),
  fresh: z
    .boolean()
    .default(false)
    .describe('Discard an unfinished run of this date instead of going on with it.'),
  lock: z
    .boolean()
    .default(true)
    .describe(
      '--no-lock: for a bucket that cannot create-if-absent, where nobody else may write at the same time.',
    ),
  resume: z
    .boolean()
    .default(false)
    .describe('Insist on going on with an unfinished run (going on is the default).'),
});
export type SnapshotSettings = z.infer<typeof snapshotSettings>;
