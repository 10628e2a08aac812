import type { Clock } from '../clock.js';
import { type Log, runDatesOf } from './log.js';

/** The day of a clock, UTC. */
export const todayOf = (clock: Clock): string => new Date(clock.now()).toISOString().slice(0, 10);

/**
 * The run dates of which the first is the newest. One that is later than today was given by mistake, or by a clock that was
 * wrong: it would be the newest for ever, so it is none of them, and is read only by who names it.
 */
export function newestDates(log: Log, clock: Clock): string[] {
  const today = todayOf(clock);
  return runDatesOf(log).filter((runDate) => runDate <= today);
}
