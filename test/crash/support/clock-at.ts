import { type Clock, systemClock } from '../../../src/index.js';

/** 2026-11-23 at noon, UTC. */
export const NOON = Date.parse('2026-11-23T12:00:00Z');
/** Longer than any lease, in milliseconds: a run of the same day takes it over. */
export const SOON = 2 * 60_000;
/** Longer than any lease, and than two clocks may differ, in milliseconds: a run of another day takes it over, too. */
export const LATER = 20 * 60_000;

/** For so long a run observes a lease that ends too late to be true: half of what one lasts, in milliseconds. */
const OBSERVED = 30_000;

/**
 * A clock that does not move. A sleep lasts until it is aborted, so that no lease is renewed; only a run that observes
 * another one's lease is woken at once.
 */
export const clockAt = (now: number): Clock => ({
  now: () => now,
  elapsed: systemClock.elapsed,
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    if (ms === OBSERVED) return;
    await new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  },
});
