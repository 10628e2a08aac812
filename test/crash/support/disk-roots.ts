import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalStorage, systemClock } from '../../../src/index.js';
import { type Command, compaction, dump, pruning } from './commands.js';
import { compactCommand, dumpCommand, pruneCommand, type RealCommand } from './real-process.js';
import { Root } from './root.js';
import type { Ending, Scenario } from './scenarios.js';
import { type Served, serve } from './served.js';
import { type States, temporaryState } from './state.js';

/** Long ago: these commands are run by the real clock, and a pruning is to find days that are old. */
const OLD_DATES = ['2025-06-01', '2025-06-02', '2025-06-03'] as const;
export const REAL_DATE = '2025-06-04';

/** What a real process does, on a copy of a folder. */
export interface RealScenario {
  name: string;
  /** The folder of the root before. */
  start: string;
  command: RealCommand;
  served: Scenario['served'];
  endings: readonly [Ending, ...Ending[]];
}

export interface DiskRoots extends AsyncDisposable {
  states: States;
  scenarios: RealScenario[];
  /** What the first of them dumps. */
  dumped: Served;
  /** A root of its own that holds what a folder does. */
  copyOf(start: string): Promise<string>;
}

const byRealClock =
  (command: Command): Command =>
  (place) =>
    command({ ...place, clock: systemClock });

/** The root in a folder, as the checks see it. */
export const rootIn = (path: string): Root => new Root(new LocalStorage(path));

export async function openDiskRoots(): Promise<DiskRoots> {
  const small = await serve([2, 5, 0]);
  const large = await serve([25, 0, 3]);
  const states = await temporaryState();
  const make = async (name: string, ...commands: Command[]): Promise<string> => {
    const path = join(states.folder, name);
    const storage = new LocalStorage(path);
    for (const command of commands) await command({ storage, state: states.fresh(), clock: systemClock });
    return path;
  };
  const at = (served: Served, runDate = REAL_DATE): Command => dump(served, 'per-org', runDate);
  const holdsSmall = await make('small', at(small));
  const holdsLarge = await make('large', at(large));
  const dated = await make('dated', ...OLD_DATES.map((date) => at(small, date)), at(large));

  const onOldDates = <T>(value: T): Record<string, T> =>
    Object.fromEntries(OLD_DATES.map((date) => [date, value]));
  const served = { ...onOldDates([small.ids]), [REAL_DATE]: [small.ids, large.ids] };
  const dumps = (state: Served): Ending => ({
    name: 'dump',
    command: byRealClock(at(state)),
    outcomes: [{ [REAL_DATE]: state.ids }],
  });
  const compacts: Ending = {
    name: 'compact',
    command: byRealClock(compaction(REAL_DATE)),
    outcomes: [{ [REAL_DATE]: small.ids }, { [REAL_DATE]: large.ids }],
  };
  const scenarios: RealScenario[] = [
    {
      name: 'a dump',
      start: holdsSmall,
      command: dumpCommand(large, REAL_DATE),
      served,
      endings: [dumps(large), compacts, dumps(small)],
    },
    {
      name: 'a compaction',
      start: holdsLarge,
      command: compactCommand(REAL_DATE),
      served,
      endings: [compacts, dumps(small)],
    },
    {
      name: 'a pruning',
      start: dated,
      command: pruneCommand,
      served,
      endings: [
        {
          name: 'prune',
          command: byRealClock(pruning()),
          outcomes: [{ ...onOldDates('pruned' as const), [REAL_DATE]: large.ids }],
        },
      ],
    },
  ];
  return {
    states,
    scenarios,
    dumped: large,
    async copyOf(start) {
      const root = states.fresh();
      await cp(start, root, { recursive: true });
      return root;
    },
    async [Symbol.asyncDispose]() {
      await small[Symbol.asyncDispose]();
      await large[Symbol.asyncDispose]();
      await states[Symbol.asyncDispose]();
    },
  };
}
