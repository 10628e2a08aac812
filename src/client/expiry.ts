import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';

/** A signal with a time limit; dispose it when the work is done. */
export interface Expiry extends Disposable {
  readonly signal: AbortSignal;
  /** Whether the time ran out (and not a parent's signal). */
  readonly expired: boolean;
}

const OVER = new Error('The time that this work may take is over.');
const DONE = new Error('The work is done.');

/**
 * A signal that aborts with any of its parents, or when `ms` have passed on the clock. (`AbortSignal.any` keeps what it
 * was made from alive on Node 20, and `AbortSignal.timeout` knows no clock but the machine's.)
 */
export function expiry({
  clock,
  ms,
  parents,
}: {
  clock: Clock;
  /** Undefined: only the parents end it. */
  ms?: number | undefined;
  parents: readonly (AbortSignal | undefined)[];
}): Expiry {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  let expired = false;
  const follow = (event: Event) => controller.abort((event.target as AbortSignal).reason);
  for (const parent of parents) {
    if (!parent) continue;
    setMaxListeners(0, parent); // one listener for each request in flight: no number of them is a leak
    if (parent.aborted) controller.abort(parent.reason);
    else parent.addEventListener('abort', follow, { once: true });
  }
  if (ms !== undefined && !controller.signal.aborted) {
    clock.sleep(ms, controller.signal).then(
      () => {
        expired = true;
        controller.abort(OVER);
      },
      () => undefined, // aborted or disposed of before its time
    );
  }
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    [Symbol.dispose]() {
      for (const parent of parents) parent?.removeEventListener('abort', follow);
      controller.abort(DONE);
    },
  };
}
