/** When to try again, and how long to wait: pure, so that it can be read and tested as a table. */

/** The longest `retry-after` that is honoured, in milliseconds. */
export const RETRY_AFTER_CAP = 120_000;

/** The first and the longest step of the back-off, in milliseconds. */
const FIRST_STEP = 1_000;
const LAST_STEP = 60_000;

const RETRIED = new Set([408, 429, 500, 502, 503, 504, 529]);

/** Texts of the 500 for which a retry is useless: the list of organisations is longer than the answer may be. */
const CAP = /exceeds maximum of [\d,.]+ organi[sz]ations|maximum response size exceeded/i;

/** Whether a 500 is the cap on the list of organisations; the header that says so may be missing. */
export const isOrganizationCap = (status: number, apiMessage: string): boolean =>
  status === 500 && CAP.test(apiMessage);

/**
 * Whether an answer other than 200 is worth another request. `x-should-retry` decides when it is exactly
 * `true` or `false`; 401 and 403 are never retried, nor is the cap.
 */
export function isRetried(status: number, shouldRetry: string | undefined, apiMessage: string): boolean {
  if (status === 401 || status === 403 || isOrganizationCap(status, apiMessage)) return false;
  if (shouldRetry === 'true') return status >= 400;
  if (shouldRetry === 'false') return false;
  return RETRIED.has(status);
}

/**
 * `retry-after` in milliseconds, not bounded yet: seconds, decimals, or an HTTP date, read against `now`.
 * Anything else is undefined, as if it had not been sent; so is a date that has passed.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^(?:\d+\.?\d*|\.\d+)$/.test(text)) {
    const ms = Number(text) * 1000;
    return Number.isFinite(ms) ? ms : undefined;
  }
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined;
  const ms = Date.parse(text) - now;
  return ms >= 0 ? ms : undefined;
}

/**
 * The wait before the next attempt, in milliseconds: full jitter under a step that doubles from 1 s to 60 s,
 * and at least `retryAfter` up to its cap. `attempt` is the one that failed, from 1; `random` is in [0, 1).
 */
export function retryDelay({
  attempt,
  retryAfter = 0,
  random,
}: {
  attempt: number;
  retryAfter?: number | undefined;
  random: number;
}): number {
  const step = Math.min(LAST_STEP, FIRST_STEP * 2 ** Math.min(attempt - 1, 16));
  return Math.max(Math.min(retryAfter, RETRY_AFTER_CAP), random * step);
}
