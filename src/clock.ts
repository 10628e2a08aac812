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
  // A wait for each request is given up in time: `node:timers/promises` would make an error, with its stack, each time.
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
};
