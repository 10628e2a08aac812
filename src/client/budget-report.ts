/** What an answer says about the budget, as far as it is credible. */
export interface BudgetReport {
  /** Requests that the parent organisation has in one window. */
  readonly limit?: number;
  /** Requests of it that are left, whichever program spent the others. */
  readonly remaining?: number;
  /** When more will be left, milliseconds since 1970 by the server's clock. */
  readonly reset?: number;
  /** The same as a wait from now, in milliseconds, corrected for a clock that is off. */
  readonly resetIn?: number;
}

/** A smaller difference, in milliseconds, is no wrong clock: latency explains it, and `date` has no fraction. */
const CLOCK_TOLERANCE = 5_000;

/** Reads the `anthropic-ratelimit-requests-*` headers against `now`; what is missing or not credible is left out. */
export function parseBudget(
  headers: Readonly<Record<string, string | undefined>>,
  now: number,
): BudgetReport {
  const limit = positive(headers['anthropic-ratelimit-requests-limit']);
  const remaining = count(headers['anthropic-ratelimit-requests-remaining']);
  const reset = instant(headers['anthropic-ratelimit-requests-reset']);
  const date = instant(headers.date);
  const isOff = date !== undefined && Math.abs(date - now) > CLOCK_TOLERANCE;
  return {
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && (limit === undefined || remaining <= limit) && { remaining }),
    ...(reset !== undefined && { reset, resetIn: reset - (isOff ? date : now) }),
  };
}

const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

const positive = (text: string | undefined): number | undefined => count(text) || undefined;

/** RFC 3339, or the form of the `date` header; never the many others that Date.parse takes. */
function instant(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d{4}-\d\d-\d\d[Tt ]|[A-Z][a-z]{2}, )/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
