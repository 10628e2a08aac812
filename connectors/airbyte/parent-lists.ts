import { ComplianceError, type ParentKey, verdictOf } from '../../src/index.js';
import { whatIsUnavailable } from '../kit/unavailable.js';
import { createFailedLists, MAX_CONSECUTIVE_FAILURES } from './failed-lists.js';
import { isFatal } from './fatal.js';
import { inTurn } from './in-turn.js';
import { labelOf, listOf, listPages } from './list-pages.js';
import { listParents } from './listed-parents.js';
import { openPosition, type Position, type Verdict } from './position.js';
import type { Reader, Reading } from './reading.js';
import { isKept, type ListsState, listsState, resumeState } from './state.js';

/** Reads a stream that has a list for each parent, one list after the other: a state holds the position in the parents. */
export const parentLists: Reader = {
  snapshotOf: (state, now) => resumeState(state, listsState, now).from,
  async read(reading) {
    const { stream, checkpoints, clock, log } = reading;
    const { parents, unlisted } = await listParents(reading);

    let { from, startsOver } = resumeState(reading.state, listsState, clock.now());
    let position = openPosition(parents, from);
    if (!position) {
      if (unlisted) throw unlisted; // the position may fit when everything is listed again
      startsOver = 'its state was written for another list of parents';
      from = undefined;
      position = openPosition(parents) as Position;
    }
    if (startsOver) log('WARN', `starts over, since ${startsOver}.`);

    const { snapshot_date, started_at } = from ?? reading.snapshot;
    const progress = { version: 1, snapshot_date, started_at, finished: false } as const;
    const failed = await readLists({ reading, position, progress, underWay: from?.under_way });
    const { unavailable } = position.toState();
    if (unavailable > 0) log('WARN', `${whatIsUnavailable({ lists: unavailable, of: parents.length })}.`);
    const error = failed.toError(stream.name, parents.length) ?? unlisted;
    if (!error) {
      await checkpoints.end({ ...progress, finished: true });
    } else {
      await checkpoints.end({ ...progress, ...position.toState() });
      throw error;
    }
  },
};

interface ListsReading {
  reading: Reading;
  position: Position;
  /** What every state of this read begins with. */
  progress: Pick<ListsState, 'version' | 'snapshot_date' | 'started_at' | 'finished'>;
  /** The list in which an earlier read was interrupted. */
  underWay: ListsState['under_way'];
}

/** @returns the lists that could not be read; the others have been sent */
async function readLists({ reading, position, progress, underWay }: ListsReading) {
  const { checkpoints, concurrency, signal, log } = reading;
  const failures = createFailedLists();
  const checkpoint = (under_way: ListsState['under_way']) =>
    checkpoints.offer({ ...progress, ...position.toState(), ...(under_way && { under_way }) });
  await checkpoint(underWay);

  const turns = inTurn({
    sources: position.rest,
    open: (parent, signal) =>
      listPages(reading, {
        parent,
        from: isSame(parent, underWay?.parent) ? underWay?.page : undefined,
        signal,
      }),
    concurrency,
    signal,
  });
  for await (const { source: parent, pages } of turns) {
    const send = reading.sender({ parent, snapshotDate: progress.snapshot_date });
    let verdict: Verdict = 'complete';
    let givesUp = false;
    try {
      for await (const { served, next } of pages) {
        await send(served);
        if (isKept(next)) await checkpoint({ parent, page: next });
      }
      failures.succeeded();
    } catch (error) {
      if (signal.aborted || !(error instanceof ComplianceError) || isFatal(error)) throw error;
      verdict = verdictOf(error) ?? 'failed';
      if (verdict === 'unavailable') {
        failures.succeeded(); // it was answered, and there may be thousands: they are reported at the end
      } else if (verdict === 'gone') {
        log('WARN', `${labelOf(parent)} is no longer listed. What was read of its list has been sent.`);
      } else {
        log('ERROR', `${listOf(parent)} could not be read. ${error.message} [${error.code}]`);
        givesUp = failures.failed(parent, error);
      }
    }
    position.settle(parent, verdict);
    await checkpoint(undefined);
    if (givesUp) {
      log('ERROR', `gives up, since ${MAX_CONSECUTIVE_FAILURES} lists in a row failed for the same reason.`);
      break;
    }
  }
  return failures;
}

/** Whoever keeps a state may give its keys back in another order. */
const isSame = (parent: ParentKey, other: ParentKey = {}): boolean =>
  Object.entries(parent).every(([column, id]) => other[column] === id);
