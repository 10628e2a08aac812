import type { Layout } from '../../src/index.js';
import type { Command } from './command.mjs';
import type { Ending, Outcome } from './invariants.js';
import { compact, dump, OLD_DATES, prune, type Roots, type Rows, RUN_DATE } from './roots.js';

/** Something that is killed at every step. */
export interface Scenario {
  name: string;
  /** A folder that holds the root as it is before. */
  start: string;
  command: Command;
  /** The users that were ever served for each run date. */
  served: Readonly<Record<string, readonly Rows[]>>;
  /** What may come after a kill, each over a root that stands as the kill left it; the first: the same again. */
  endings: readonly [Ending, ...Ending[]];
}

/** What is killed, on a disk and on a bucket. */
export function scenariosOf({ small, large, compacted, dated }: Roots) {
  const either = { [RUN_DATE]: [small.users, large.users] };
  const justLarge = { [RUN_DATE]: [large.users] };

  const dumpPerOrg: Scenario = {
    name: 'a dump over an older snapshot of its date',
    start: small.root,
    command: dump(large.api, 'per-org'),
    served: either,
    endings: [
      {
        command: dump(large.api, 'per-org'),
        // The second: it had ended, all but clearing away, and what came next was a run of its own.
        outcome: holding(large.users, 'per-org', ['publish publish', 'publish publish publish']),
      },
      {
        between: compact('per-date'),
        command: dump(large.api, 'per-org'),
        outcome: holding(large.users, 'per-org', [
          'publish compact publish', // of the older one
          'publish publish', // refused
          'publish publish compact publish',
        ]),
      },
    ],
  };
  const dumpPerDate: Scenario = {
    name: 'a dump, per-date, over an older snapshot of its date',
    start: small.root,
    command: dump(large.api, 'per-date'),
    served: either,
    endings: [
      {
        command: dump(large.api, 'per-date'),
        outcome: holding(large.users, 'per-date', ['publish publish', 'publish publish publish']),
      },
    ],
  };
  const compaction: Scenario = {
    name: 'a compaction',
    start: large.root,
    command: compact('per-date'),
    served: justLarge,
    endings: [
      {
        command: compact('per-date'),
        outcome: holding(large.users, 'per-date', ['publish compact']),
      },
      {
        command: compact('per-org'),
        outcome: holding(large.users, 'per-org', ['publish', 'publish compact compact']),
      },
      {
        command: dump(small.api, 'per-org'),
        outcome: holding(small.users, 'per-org', ['publish publish', 'publish compact publish']),
      },
    ],
  };
  const compactionBack: Scenario = {
    name: 'a compaction back to per-org',
    start: compacted,
    command: compact('per-org'),
    served: justLarge,
    endings: [
      {
        command: compact('per-org'),
        outcome: holding(large.users, 'per-org', ['publish compact compact']),
      },
    ],
  };
  const onDate = (users: Rows, date: string): Rows => users.map((user) => ({ ...user, snapshot_date: date }));
  const pruning: Scenario = {
    name: 'a pruning of three days',
    start: dated,
    command: prune,
    served: {
      ...Object.fromEntries(OLD_DATES.map((date) => [date, [onDate(small.users, date)]])),
      ...justLarge,
    },
    endings: [
      {
        command: prune,
        outcome: {
          dates: {
            ...Object.fromEntries(OLD_DATES.map((date) => [date, 'pruned' as const])),
            [RUN_DATE]: { layout: 'per-org', users: large.users },
          },
          logs: [
            [
              ...[...OLD_DATES, RUN_DATE].map((date) => `publish ${date}`),
              ...OLD_DATES.map((date) => `prune ${date}`),
            ],
          ],
        },
      },
    ],
  };
  return { dumpPerOrg, dumpPerDate, compaction, compactionBack, pruning };
}

/** The run date holds these users in the end. @param logs what the log may tell of it, `publish compact` */
const holding = (users: Rows, layout: Layout, logs: readonly string[]): Outcome => ({
  dates: { [RUN_DATE]: { layout, users } },
  logs: logs.map((actions) => actions.split(' ').map((action) => `${action} ${RUN_DATE}`)),
});
