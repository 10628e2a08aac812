import { NotFoundError, verdictOf } from '../../src/index.js';
import { whatIsUnavailable } from '../kit/unavailable.js';
import { listPages } from './list-pages.js';
import { estimate } from './messages.js';
import type { Reader } from './reading.js';
import { isKept, listState, resumeState } from './state.js';

/** Reads a stream that has one list: a state holds the token of the next page. */
export const singleList: Reader = {
  snapshotOf: (state, now) => resumeState(state, listState, now).from,
  async read(reading) {
    const { stream, checkpoints, clock, log, signal } = reading;
    const { from, startsOver } = resumeState(reading.state, listState, clock.now());
    if (startsOver) log('WARN', `starts over, since ${startsOver}.`);
    const { snapshot_date, started_at } = from ?? reading.snapshot;
    const state = { version: 1, snapshot_date, started_at, finished: false } as const;
    const send = reading.sender({ parent: {}, snapshotDate: snapshot_date });
    let isFirst = from?.page === undefined;
    try {
      for await (const { served, next } of listPages(reading, { parent: {}, from: from?.page, signal })) {
        if (isFirst && next === null) await reading.send(estimate(stream.name, served.records.length));
        isFirst = false;
        await send(served);
        if (isKept(next)) await checkpoints.offer({ ...state, page: next });
      }
    } catch (error) {
      if (verdictOf(error) !== 'unavailable') throw error;
      const is404 = error instanceof NotFoundError;
      log('WARN', is404 ? `${whatIsUnavailable({ lists: 1, of: 1 })}.` : (error as Error).message);
    }
    await checkpoints.end({ ...state, finished: true });
  },
};
