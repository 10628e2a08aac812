import { LATER, NOON, SOON } from './clock-at.js';
import { type Command, compaction, dump, pruning, RUN_DATE } from './commands.js';
import { mortal } from './mortal.js';
import { Root } from './root.js';
import { type Ids, type Served, serve } from './served.js';
import { type States, temporaryState } from './state.js';
import type { Step } from './steps.js';

/** A command whose process comes to harm at every step. */
export interface Scenario {
  name: string;
  start: Root;
  /** When it is run, milliseconds since 1970. */
  at: number;
  command: Command;
  /** The rows that were ever served for each run date. */
  served: Readonly<Record<string, readonly Ids[]>>;
  /** What the command dumps, when it is a dump: its staged run can be resumed. */
  dumped?: Served;
  /** What another process may run next. */
  endings: readonly Ending[];
}

/** What the run dates of a root hold. */
export type Outcome = Readonly<Record<string, Ids | 'pruned'>>;

export interface Ending {
  name: string;
  command: Command;
  /** When it is run, in milliseconds after the other one. Default: `LATER`. */
  after?: number;
  /** One of these is right: which one can depend on the step. */
  outcomes: readonly Outcome[];
}

export const NEXT_DATE = '2026-11-24';
const DAY = 24 * 60 * 60_000;

export const OLD_DATES = ['2026-11-20', '2026-11-21', '2026-11-22'] as const;

export interface Scenarios extends AsyncDisposable {
  states: States;
  small: Served;
  large: Served;
  /** Roots that hold the small or the large state at the run date, and the small one at the next. */
  holdsSmall: Root;
  holdsLarge: Root;
  /** The rows that were ever served for each run date. */
  served: Scenario['served'];
  scenarios: Scenario[];
}

/** Is this the step by which a snapshot becomes the current one? */
export const isCommit = ({ operation, key, bytes }: Step): boolean =>
  operation === 'create' && key.startsWith('_runs/log/') && !String(bytes).includes('"manifest_sha256":null');

const isRemoval = ({ operation, key }: Step): boolean => operation === 'remove' && key.startsWith('users/');

export async function openScenarios(): Promise<Scenarios> {
  const small = await serve([2, 5, 0]);
  // The same organisations at a later hour: another one has no users now, and one has several parts.
  const large = await serve([25, 0, 3]);
  const states = await temporaryState();

  const after = async (start: Root, ...commands: Command[]): Promise<Root> => {
    const root = await start.copy();
    for (const command of commands) await command({ storage: root.open(), state: states.fresh() });
    return root;
  };
  /** What a process leaves that dies before a step. */
  const leftBy = async (start: Root, command: Command, isLast: (step: Step) => boolean): Promise<Root> => {
    for (let at = 1; ; at += 1) {
      const root = await start.copy();
      const victim = mortal(root.open(), { at, mishap: 'dies before' });
      await command({ storage: victim.storage, state: states.fresh() }).catch(() => undefined);
      if (!victim.step) throw new TypeError('no step is such a one');
      if (isLast(victim.step)) return root;
    }
  };

  const empty = new Root();
  const withNext = await after(empty, dump(small, 'per-org', NEXT_DATE));
  const holdsSmall = await after(withNext, dump(small));
  const holdsLarge = await after(withNext, dump(large));
  const holdsCombined = await after(holdsLarge, compaction());
  const oldDumps = OLD_DATES.map((date, i) => dump(small, i === 1 ? 'per-date' : 'per-org', date));
  const dated = await after(empty, ...oldDumps, dump(large));

  const onOldDates = <T>(value: T): Record<string, T> =>
    Object.fromEntries(OLD_DATES.map((date) => [date, value]));
  const served = {
    ...onOldDates([small.ids]),
    [RUN_DATE]: [small.ids, large.ids],
    [NEXT_DATE]: [small.ids],
  };
  const holding = (atRunDate: Ids | 'pruned'): Outcome => ({ [RUN_DATE]: atRunDate, [NEXT_DATE]: small.ids });

  const dumps = (state: Served): Ending => ({
    name: 'dump',
    command: dump(state),
    after: SOON,
    outcomes: [holding(state.ids)],
  });
  const compacts: Ending = {
    name: 'compact',
    command: compaction(),
    outcomes: [holding(small.ids), holding(large.ids)],
  };
  const prunes: Ending = { name: 'prune', command: pruning(), after: DAY, outcomes: [holding('pruned')] };
  /** What died at the run date is tidied on the way. */
  const dumpsNext: Ending = {
    name: 'dump of another day',
    command: dump(small, 'per-org', NEXT_DATE),
    outcomes: compacts.outcomes,
  };
  const scenario = (
    details: Pick<Scenario, 'name' | 'start' | 'command' | 'endings'> & Partial<Scenario>,
  ) => ({
    at: NOON,
    served,
    ...details,
  });

  const scenarios: Scenario[] = [
    scenario({
      name: 'a first dump',
      start: empty,
      command: dump(large),
      dumped: large,
      endings: [
        { ...dumps(small), outcomes: [{ [RUN_DATE]: small.ids }] },
        { ...dumpsNext, outcomes: [{ [NEXT_DATE]: small.ids }, holding(large.ids)] },
      ],
    }),
    scenario({
      name: 'a dump over an older snapshot of its date',
      start: holdsSmall,
      command: dump(large),
      dumped: large,
      endings: [dumps(large), compacts, prunes, dumpsNext],
    }),
    scenario({
      name: 'a dump per date over an older snapshot of its date',
      start: holdsSmall,
      command: dump(large, 'per-date'),
      dumped: large,
      endings: [dumps(small), compacts],
    }),
    scenario({
      name: 'a dump over a combined snapshot of its date',
      start: holdsCombined,
      command: dump(small),
      dumped: small,
      endings: [dumps(small), prunes],
    }),
    scenario({
      name: 'a compaction',
      start: holdsLarge,
      command: compaction(),
      endings: [{ ...compacts, outcomes: [holding(large.ids)] }, dumps(small), prunes, dumpsNext],
    }),
    scenario({
      name: 'a pruning of three days',
      start: dated,
      command: pruning(),
      endings: [
        {
          name: 'prune',
          command: pruning(),
          outcomes: [{ ...onOldDates('pruned' as const), [RUN_DATE]: large.ids }],
        },
      ],
    }),
    scenario({
      name: 'a dump that takes over from a dump that died before its commit',
      start: await leftBy(holdsSmall, dump(large), isCommit),
      at: NOON + LATER,
      command: dump(large),
      dumped: large,
      endings: [dumps(large), compacts, dumpsNext],
    }),
    scenario({
      name: 'a compaction that takes over from a dump that died after its commit',
      start: await leftBy(holdsSmall, dump(large), isRemoval),
      at: NOON + LATER,
      command: compaction(),
      endings: [{ ...compacts, outcomes: [holding(large.ids)] }, dumps(small), prunes],
    }),
  ];
  return {
    states,
    small,
    large,
    holdsSmall,
    holdsLarge,
    served,
    scenarios,
    async [Symbol.asyncDispose]() {
      await small[Symbol.asyncDispose]();
      await large[Symbol.asyncDispose]();
      await states[Symbol.asyncDispose]();
    },
  };
}
