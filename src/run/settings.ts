import { z } from 'zod';
import { streams } from '../streams/index.js';

/** What a setting means for a run, besides its value. */
interface Marks {
  /** It shapes the files: an unfinished run with another value is another run. */
  shapesFiles?: boolean;
  /** It only steers a process, or is recorded elsewhere: it is not kept in the manifest. */
  isNoEvidence?: boolean;
}

/** The marks of settings, wherever they are defined. */
export const marks = z.registry<Marks>();

/** The settings of a run that carry a mark. */
export const marked = (settings: z.ZodObject, mark: keyof Marks): string[] =>
  Object.entries(settings.shape)
    .filter(([, setting]) => marks.get(setting as z.ZodType)?.[mark])
    .map(([key]) => key);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const streamNames = streams.map(({ name }) => name) as [string, ...string[]];
/** Stands for every stream. */
const ALL = 'all';
const defaultStreams = streams.filter(({ isDefault }) => isDefault).map(({ name }) => name);
const guardedStreams = streams.filter(({ isGuarded }) => isGuarded).map(({ name }) => name);

/** How the files of a run date are arranged. */
export const layouts = ['per-org', 'per-date'] as const;
export type Layout = (typeof layouts)[number];

/** The settings of a snapshot; the flags of `dump` are made from it. */
export const snapshotSettings = z.object({
  runDate: z.iso
    .date()
    .optional()
    .describe('The day the snapshot is filed under, UTC. Default: today, fixed once at the start.')
    .register(marks, { isNoEvidence: true }),
  backDated: z
    .boolean()
    .default(false)
    .describe(
      "Allow a --run-date that is not today's (UTC). Not needed to resume an unfinished run of that date.",
    ),
  streams: z
    .array(z.enum([...streamNames, ALL]))
    .min(1)
    .default(defaultStreams)
    .transform((asked) => streamNames.filter((name) => asked.includes(name) || asked.includes(ALL)))
    .describe(
      'What to read: names, separated by spaces or commas, or all. Without one of the default streams the snapshot is scoped, not complete.',
    )
    .register(marks, { shapesFiles: true }),
  org: z
    .array(z.string().regex(UUID, 'must be a UUID'))
    .min(1)
    .optional()
    .describe('Only these organisations (UUIDs): the snapshot is scoped, not complete.')
    .register(marks, { shapesFiles: true }),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe('Lists read at the same time; 4 to 8 use up the API budget.'),
  rowsPerFile: z
    .int()
    .min(1)
    .default(500_000)
    .describe('Rows after which the next part of a table begins.')
    .register(marks, { shapesFiles: true }),
  layout: z
    .enum(layouts)
    .default('per-org')
    .describe(
      'per-org: a folder for each organisation, role or group. per-date: one file a table and day (or one for each --rows-per-file rows), sorted by them.',
    )
    .register(marks, { shapesFiles: true }),
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
      `Percent of the ${guardedStreams.join(' or ')} of the newest snapshot that may be missing before nothing is published.`,
    ),
  allowEmpty: z
    .boolean()
    .default(false)
    .describe(
      'Publish a snapshot without any organisation. Default: it is refused, as a wrong key sees none.',
    ),
  force: z
    .boolean()
    .default(false)
    .describe('Publish in spite of --max-shrink, and an incomplete run over a complete snapshot.'),
  fresh: z
    .boolean()
    .default(false)
    .describe('Discard an unfinished run of this date instead of resuming it.'),
});
export type SnapshotSettings = z.infer<typeof snapshotSettings>;
