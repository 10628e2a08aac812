import { setTimeout as delay } from 'node:timers/promises';

/** Where every reading of the time and every wait goes through, so that tests can turn the hands. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may jump: never measure with it. */
  now(): number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed(): number;
  /** Resolves after `ms`; rejects with the signal's reason, at once, when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await delay(ms, undefined, signal ? { signal } : undefined);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
