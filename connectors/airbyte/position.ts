import { createHash } from 'node:crypto';
import type { UsersState } from './state.js';

/** How an organisation ended: read whole, no longer linked, or not readable. */
export type Verdict = 'complete' | 'gone' | 'failed';

/** How far a read of many organisations has come: a place in the order served, and the exceptions before it. */
export interface Position {
  /** The organisations that are to be read: those that failed before, then those not reached yet. */
  readonly rest: readonly string[];
  /** Notes how an organisation of `rest` ended; to be called in their order. */
  settle(organizationUuid: string, verdict: Verdict): void;
  /** What a state keeps of it: a few bytes, however many organisations are done. */
  toState(): Pick<UsersState, 'done' | 'digest' | 'failed'>;
}

/** With more exceptions than this the place stays where it is, so that a state keeps below 64 KiB. */
const MOST_FAILED = 5_000;

/**
 * The position in a list of organisations. An organisation that is gone does not count: the next list lacks it.
 * @returns undefined when the list begins otherwise than the one that the state was written for: an organisation
 * that was added, removed or moved before the place would be skipped or mistaken for another
 */
export function openPosition(
  listed: readonly string[],
  from: Pick<UsersState, 'done' | 'digest' | 'failed'> = { done: 0, digest: '', failed: [] },
): Position | undefined {
  const passed = createHash('sha256');
  const pass = (uuid: string) => passed.update(`${uuid}\n`);
  const digest = () => passed.copy().digest('hex').slice(0, 32);

  let { done } = from;
  if (done > listed.length) return undefined;
  for (const uuid of listed.slice(0, done)) pass(uuid);
  if (done > 0 && digest() !== from.digest) return undefined;
  if (from.failed.some((place) => place >= done)) return undefined;

  const places = new Map(from.failed.map((place) => [listed[place] as string, place]));
  const failed = new Set(places.values());
  let stays = false;
  return {
    rest: [...places.keys(), ...listed.slice(done)],
    settle(uuid, verdict) {
      const place = places.get(uuid);
      if (place !== undefined) {
        if (verdict === 'complete') failed.delete(place);
        return;
      }
      stays ||= verdict === 'failed' && failed.size >= MOST_FAILED;
      if (stays || verdict === 'gone') return;
      if (verdict === 'failed') failed.add(done);
      pass(uuid);
      done += 1;
    },
    toState: () => ({ done, digest: digest(), failed: [...failed] }),
  };
}
