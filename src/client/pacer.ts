import type { Clock } from '../clock.js';
import type { OnEvent } from '../events.js';
import type { BudgetReport } from './budget-report.js';
import { rollingWindow } from './rolling-window.js';
import { waitingLine } from './waiting-line.js';

/** Lets requests leave at a pace that the budget allows. One for each key: all requests share it. */
export interface Pacer {
  /** Resolves when the caller may send one request; rejects with the signal's reason. First come, first served. */
  take(signal?: AbortSignal): Promise<void>;
  /** To be called once for each `take`, with what the answer said, or with nothing if there was none. */
  settle(report?: BudgetReport): void;
  /** No request leaves for so many milliseconds: the answer was a 429. */
  pause(ms: number): void;
}

export interface PacerOptions {
  clock: Clock;
  /** 0: no limit of our own. */
  requestsPerMinute: number;
  /** The share of the reported limit that is spent at most, over 0 and up to 1. */
  budgetShare: number;
  /** The length of the budget's window in milliseconds; the API's is a minute. */
  window?: number;
  onEvent?: OnEvent | undefined;
}

/** The most requests that leave at once after a pause, and the largest share of a window that they may be. */
const BURST = 30;
const BURST_SHARE = 1 / 20;

/** An empty budget that is reported more often than this in a row, while requests are answered all the same, is ignored. */
const MAX_EMPTY_REPORTS = 5;

/** Waits shorter than this are the pace itself and are not reported. */
const MIN_REPORTED_WAIT_MS = 250;

/** What is left of the budget: the last report, less what was sent since. */
interface Room {
  left: number;
  /** When a fixed window ends, by `elapsed`; undefined: the budget comes back continuously. */
  endsAt: number | undefined;
}

/** Why no request may leave now, and for how long (in milliseconds). */
interface Wait {
  ms: number;
  reason: 'budget' | 'rate_limited';
}

/**
 * A token bucket for an even pace, and a count of each rolling window, which never holds more than the allowance: the
 * share of the reported limit, and `requestsPerMinute` at most. Other programs spend from the same budget, so the flow is
 * throttled to what the API says is left above the others' share: evenly until the end of a fixed window,
 * and close to the limit where the budget comes back continuously. The algorithm behind the budget is not documented; this
 * relies on none.
 */
export function createPacer({
  clock,
  requestsPerMinute,
  budgetShare,
  window = 60_000,
  onEvent,
}: PacerOptions): Pacer {
  const ceiling = requestsPerMinute === 0 ? Number.POSITIVE_INFINITY : (requestsPerMinute * window) / 60_000;
  /** How far to plan ahead where the budget comes back continuously: not far, or a part of it would remain unused. */
  const horizon = window / 50;
  /** How often a request is sent only to see whether something is left again. */
  const probeEvery = window / 20;

  /** A little longer than the server's: requests may arrive closer together than they left. */
  const recent = rollingWindow(window * 1.002);
  let limit: number | undefined;
  let room: Room | undefined;
  let lastReset = Number.NEGATIVE_INFINITY;
  let resetMoves = false;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let emptyAnswers = 0;
  let inFlight = 0;
  let answered = false;
  let lastSent = Number.NEGATIVE_INFINITY;
  let tokens = burst();
  let refilledAt = clock.elapsed();

  function allowance(): number {
    return Math.min(ceiling, limit === undefined ? ceiling : Math.max(1, Math.floor(limit * budgetShare)));
  }
  function burst(): number {
    return Math.max(1, Math.min(BURST, Math.floor(allowance() * BURST_SHARE)));
  }
  /** What is left above the others' share. */
  function spare(at: Room): number {
    return at.left - (limit ?? 0) * (1 - budgetShare);
  }
  /** Whether nothing is left above the others' share. */
  function isSpent(): boolean {
    return room !== undefined && spare(room) < 1;
  }
  /** Requests per millisecond. */
  function flow(now: number): number {
    const most = allowance() / window;
    if (!room || isSpent()) return most;
    const time = Math.max(horizon, room.endsAt === undefined ? 0 : room.endsAt - now);
    return Math.min(most, spare(room) / time);
  }
  /** Brings the bucket up to now; to be called before anything changes. */
  function refill(): number {
    const now = clock.elapsed();
    if (room?.endsAt !== undefined && room.endsAt <= now) room = undefined; // a new window: nothing is known of it
    const passed = Math.max(0, now - refilledAt);
    // Before the first answer no tokens are added: the budget may be a hundredth of what we think.
    if (passed > 0 && answered) tokens = Math.min(isSpent() ? 1 : burst(), tokens + flow(now) * passed);
    refilledAt = now;
    return now;
  }
  /** How long the first in the line still waits. */
  function wait(): Wait {
    const now = refill();
    if (pausedUntil > now) return { ms: pausedUntil - now, reason: 'rate_limited' };
    // Until the first answer has reported the budget, one request at a time.
    if (!answered && inFlight > 0) return { ms: Number.POSITIVE_INFINITY, reason: 'budget' };
    if (room && isSpent()) {
      const until = room.endsAt ?? lastSent + (room.left >= 1 ? probeEvery : 2 * probeEvery);
      if (until > now) return { ms: until - now, reason: 'budget' };
    }
    const free = recent.freeAt(Math.max(1, Math.floor(allowance())), now) - now;
    if (free > 0) return { ms: free, reason: 'budget' };
    const ms = tokens >= 1 ? 0 : (1 - tokens) / flow(now);
    return { ms: room?.endsAt === undefined ? ms : Math.min(ms, room.endsAt - now), reason: 'budget' };
  }

  const line = waitingLine({ clock, wait, sent, waiting: reportWait() });

  function sent(): void {
    tokens = Math.max(0, tokens - 1);
    inFlight += 1;
    lastSent = clock.elapsed();
    recent.add(lastSent);
    if (room) room.left -= 1;
  }
  function reportWait() {
    let reportedUntil = Number.NEGATIVE_INFINITY;
    return ({ ms, reason }: Wait) => {
      const until = clock.now() + ms;
      if (
        ms < MIN_REPORTED_WAIT_MS ||
        ms === Number.POSITIVE_INFINITY ||
        Math.abs(until - reportedUntil) < MIN_REPORTED_WAIT_MS
      )
        return;
      reportedUntil = until;
      onEvent?.({ type: 'waiting', reason, until });
    };
  }

  return {
    take: (signal) => line.join(signal),
    settle(report) {
      const now = refill();
      inFlight -= 1;
      answered = true;
      if (report) learn(report, now);
      line.look();
    },
    pause(ms) {
      const now = refill();
      pausedUntil = Math.max(pausedUntil, now + ms);
      tokens = Math.min(tokens, 1); // no burst after the pause
      room = undefined;
      emptyAnswers = 0;
      line.look();
    },
  };

  function learn({ limit: reported, remaining, reset, resetIn }: BudgetReport, now: number): void {
    limit = reported ?? limit;
    tokens = Math.min(burst(), tokens);
    emptyAnswers = remaining === 0 ? emptyAnswers + 1 : 0;
    if (remaining === undefined || emptyAnswers > MAX_EMPTY_REPORTS) {
      room = undefined;
      return;
    }
    const believable = resetIn !== undefined && resetIn <= window * 1.1;
    if (believable && reset !== undefined && reset > lastReset) {
      // A window's end changes once it has passed; one that changes before is no window's end.
      if (lastReset - reset + resetIn > probeEvery) resetMoves = true;
      lastReset = reset;
    }
    const isFixed = believable && !resetMoves && resetIn > horizon;
    // Those in flight may or may not be counted in it: assume that they are not.
    room = { left: remaining - inFlight, endsAt: isFixed ? now + Math.min(resetIn, window) : undefined };
  }
}
