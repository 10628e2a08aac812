import type { Clock } from '../clock.js';
import { type Day, withDay } from '../lake/day.js';
import { type ErasedPerson, replacementOf } from '../lake/erasures.js';
import type { Log } from '../lake/log.js';
import { newRunId } from '../lake/paths.js';
import type { Storage } from '../storage/storage.js';
import type { Stream } from '../streams/stream.js';
import type { EraseSettings, ErasureResult } from './erasure.js';
import { type OwnRows, type RowEditor, rowEditor } from './row-editor.js';
import type { Survey } from './survey.js';

/** What every step of an erasure has in hand. */
export interface Work {
  storage: Storage;
  parent: string;
  clock: Clock;
  signal: AbortSignal | undefined;
  log: Log;
  survey: Survey;
  person: ErasedPerson;
  settings: EraseSettings;
  result: ErasureResult;
}

/** What finds the person in the rows of a stream. */
export const editors =
  ({ survey: { texts }, person }: Work, ownRows: OwnRows) =>
  (stream: Stream): RowEditor =>
    rowEditor(stream, { texts, replacement: replacementOf(person), ownRows });

/** Works on one run date under its lease. @throws what `withDay` throws */
export async function onDay(
  work: Work,
  runDate: string,
  action: (day: Day, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { storage, clock, signal, log } = work;
  signal?.throwIfAborted();
  await withDay({ storage, runDate, runId: newRunId(clock.now()), clock, signal, log }, action);
}
