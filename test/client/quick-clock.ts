import { type Clock, systemClock } from '../../src/clock.js';

/** A clock that runs faster than the machine's, and remembers which waits were started. */
export interface QuickClock extends Clock {
  /** In milliseconds, in the order started; the time-outs are among them. */
  readonly waits: number[];
}

/** Lets real connections be tested through minutes of waiting. */
export function quickClock(factor = 100): QuickClock {
  const start = { now: systemClock.now(), elapsed: systemClock.elapsed() };
  const elapsed = () => (systemClock.elapsed() - start.elapsed) * factor;
  const waits: number[] = [];
  return {
    waits,
    now: () => start.now + elapsed(),
    elapsed,
    sleep(ms, signal) {
      waits.push(ms);
      return systemClock.sleep(ms / factor, signal);
    },
  };
}
