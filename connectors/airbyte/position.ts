import { createHash } from 'node:crypto';
import { keyText, type ParentKey } from '../../src/index.js';
import type { ListsState } from './state.js';

/** How a list ended: it was read completely, its parent is no longer listed, the API does not serve it, or it could not be read. */
export type Verdict = 'complete' | 'gone' | 'unavailable' | 'failed';

/** What a state keeps of a position. */
type Place = Pick<ListsState, 'done' | 'digest' | 'failed' | 'unavailable'>;

/** How far a read of many lists has come: a place in the order of their parents, and the exceptions before it. */
export interface Position {
  /** The parents whose lists are to be read: those that failed before, then those not reached yet. */
  readonly rest: readonly ParentKey[];
  /** Notes how the list of a parent of `rest` ended; to be called in their order. */
  settle(parent: ParentKey, verdict: Verdict): void;
  /** What a state keeps of it: a few bytes, however many lists are done. */
  toState(): Place;
}

/** With more exceptions than this the place does not move, so that a state stays below 64 KiB. */
const MAX_FAILED = 5_000;

/**
 * The position in a list of parents. A parent that is gone does not count: the next list lacks it.
 * @returns undefined when the list does not begin as the one that the state was written for: a parent that was
 * added, removed or moved before the place would be skipped or mistaken for another
 */
export function openPosition(
  listed: readonly ParentKey[],
  from: Place = { done: 0, digest: '', failed: [], unavailable: 0 },
): Position | undefined {
  const passed = createHash('sha256');
  const pass = (parent: ParentKey) => passed.update(`${keyText(parent)}\n`);
  const digest = () => passed.copy().digest('hex').slice(0, 32);

  let { done, unavailable } = from;
  if (done > listed.length) return undefined;
  for (const parent of listed.slice(0, done)) pass(parent);
  if (done > 0 && digest() !== from.digest) return undefined;
  if (from.failed.some((place) => place >= done)) return undefined;

  const places = new Map(from.failed.map((place) => [listed[place] as ParentKey, place]));
  const failed = new Set(places.values());
  let isStuck = false;
  return {
    rest: [...places.keys(), ...listed.slice(done)],
    settle(parent, verdict) {
      const place = places.get(parent);
      if (place !== undefined) {
        if (verdict === 'complete' || verdict === 'unavailable') failed.delete(place);
        if (verdict === 'unavailable') unavailable += 1;
        return;
      }
      isStuck ||= verdict === 'failed' && failed.size >= MAX_FAILED;
      if (isStuck || verdict === 'gone') return;
      if (verdict === 'failed') failed.add(done);
      if (verdict === 'unavailable') unavailable += 1;
      pass(parent);
      done += 1;
    },
    toState: () => ({ done, digest: digest(), failed: [...failed], unavailable }),
  };
}
