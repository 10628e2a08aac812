import { type Clock, systemClock } from '../../../src/index.js';

/** The machine's clock, moved by so many milliseconds. */
export const moved = (by: number): Clock => ({ ...systemClock, now: () => Date.now() + by });

/** The machine's clock, moved to a moment. */
export const clockAt = (iso: string): Clock => moved(Date.parse(iso) - Date.now());

/** A clock that always says this moment; waits are real. */
export const stoppedAt = (iso: string): Clock => ({ ...systemClock, now: () => Date.parse(iso) });

export const HOUR = 60 * 60 * 1000;
