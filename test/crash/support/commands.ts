import {
  type Clock,
  type Compaction,
  compact,
  createSink,
  type Layout,
  type Manifest,
  type PrunePlan,
  prune,
  type Storage,
  snapshot,
} from '../../../src/index.js';
import { clockAt, NOON } from './clock-at.js';
import { ROWS_PER_FILE, type Served } from './served.js';

/** Where and when a command is run. */
export interface Place {
  storage: Storage;
  /** The folder of the staged runs. */
  state: string;
  /** Default: noon of the run date. */
  clock?: Clock;
}

export type Command = (place: Place) => Promise<unknown>;

export const RUN_DATE = '2026-11-23';

export const dump =
  (served: Served, layout: Layout = 'per-org', runDate = RUN_DATE) =>
  async ({ storage, state, clock = clockAt(NOON) }: Place): Promise<Manifest> => {
    const [manifest] = await snapshot({
      client: served.client,
      sink: createSink('ndjson'),
      storage,
      state,
      clock,
      runDate,
      backDated: true,
      layout,
      rowsPerFile: ROWS_PER_FILE,
      concurrency: 1,
      maxShrink: 100,
    });
    return manifest as Manifest;
  };

export const compaction =
  (runDate = RUN_DATE) =>
  async ({ storage, state, clock = clockAt(NOON) }: Place): Promise<Compaction> =>
    await compact({ storage, state, clock, runDate, rowsPerFile: ROWS_PER_FILE });

/** Of every day but the newest. A date that could not be pruned is an error here. */
export const pruning =
  () =>
  async ({ storage, clock = clockAt(NOON) }: Place): Promise<PrunePlan> => {
    const plan = await prune({ storage, clock, keepDays: 1 });
    const failed = plan.failed[0];
    if (failed) throw Object.assign(new Error(failed.message), failed);
    return plan;
  };
