import { expiry } from '../client/expiry.js';
import type { Clock } from '../clock.js';

/** Several walks at once. */
export interface MergeOptions<S, T> {
  /** Pulled one at a time, when another walk may begin. */
  sources: AsyncIterable<S>;
  /** Begins the walk of a source; the signal aborts when the merge ends. */
  open: (source: S, signal: AbortSignal) => AsyncIterable<T>;
  /** How many walks are open at most. */
  concurrency: number;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

type Arrival<S, T> =
  | { walk: AsyncIterator<T>; result: IteratorResult<T> }
  | { walk: undefined; result: IteratorResult<S> };

/**
 * Merges walks page by page, each in its own order. A walk is asked for its next page when the one before has
 * been dealt with: no more pages are outstanding than walks are open. When one fails, all end, and it is thrown.
 */
export async function* merge<S, T>(options: MergeOptions<S, T>): AsyncGenerator<T, void, void> {
  const { sources, open, concurrency, clock, signal } = options;
  using scope = expiry({ clock, parents: [signal] });
  const source = sources[Symbol.asyncIterator]();
  /** What each open walk brings next, the one served longest ago first. */
  const arrivals = new Map<AsyncIterator<T>, Promise<Arrival<S, T>>>();
  let pull: Promise<Arrival<S, T>> | undefined;
  let exhausted = false;
  let serving: AsyncIterator<T> | undefined;
  const ask = (walk: AsyncIterator<T>) =>
    arrivals.set(
      walk,
      walk.next().then((result) => ({ walk, result })),
    );

  try {
    for (;;) {
      if (!exhausted && arrivals.size < concurrency) {
        pull ??= source.next().then((result) => ({ walk: undefined, result }));
      }
      if (arrivals.size === 0 && !pull) return;
      const arrival = await Promise.race(pull ? [...arrivals.values(), pull] : arrivals.values());
      const { walk } = arrival;
      if (walk === undefined) {
        pull = undefined;
        if (arrival.result.done) exhausted = true;
        else ask(open(arrival.result.value, scope.signal)[Symbol.asyncIterator]());
        continue;
      }
      arrivals.delete(walk);
      if (arrival.result.done) continue;
      serving = walk;
      yield arrival.result.value;
      serving = undefined;
      ask(walk);
    }
  } finally {
    scope[Symbol.dispose](); // aborts what is in flight
    const walks = [...arrivals.keys(), serving];
    await Promise.allSettled([pull, ...walks.map((walk) => walk?.return?.()), source.return?.()]);
  }
}
