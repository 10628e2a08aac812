import { type Day, publish, withDay } from '../../../src/lake/day.js';
import { LEASE_MS } from '../../../src/lake/lease.js';
import type { Manifest } from '../../../src/lake/manifest.js';
import { newRunId, runOfPart } from '../../../src/lake/paths.js';
import { fakeClock } from '../../client/fake-clock.js';
import { prepare, RUN_DATE } from './day.js';
import type { MemoryStorage } from './memory-storage.js';

/** When the tests begin; a run may work some milliseconds later. */
export const START = Date.UTC(2026, 10, 23, 12);

/** After so long, in milliseconds, an expired lease is that of a dead run, whatever the clocks say. */
export const SURELY_DEAD = LEASE_MS + 10 * 60_000;

interface Work {
  runDate?: string;
  later?: number;
  signal?: AbortSignal;
}

/** Works on one day of a root as a run of its own. */
export async function work<T>(
  storage: MemoryStorage,
  action: (day: Day, signal: AbortSignal) => Promise<T>,
  { runDate = RUN_DATE, later = 0, signal }: Work = {},
): Promise<T> {
  const clock = fakeClock({ start: START + later });
  const runId = newRunId(clock.now());
  return await withDay({ storage, runDate, runId, clock, signal }, action);
}

/** Publishes a snapshot. @param folder for its files before that */
export const publishNew =
  (folder: { readonly path: string }, signal?: AbortSignal) =>
  async (day: Day): Promise<Manifest> => {
    const { manifest, files } = await prepare(day, folder.path);
    await publish(day, manifest, files, signal);
    return manifest;
  };

/** Dies with its lease, and with the first of its files in the root. @returns its run id */
export const die =
  (folder: { readonly path: string }) =>
  async (day: Day): Promise<string> => {
    const { files } = await prepare(day, folder.path);
    await day.storage.put(files.slice(0, 1));
    day.lease.keep();
    return day.runId;
  };

/** The files of a run in a root, its manifest included. */
export const filesOfRun = (storage: MemoryStorage, run: string): string[] =>
  [...storage.objects.keys()].filter((key) => runOfPart(key) === run || key.endsWith(`/${run}.json`));
