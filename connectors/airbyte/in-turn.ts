/** Walks of which several are open at a time, and one is read at a time. */
export interface TurnOptions<S, T> {
  sources: readonly S[];
  /** Opens the walk of a source; the signal aborts when the turns end. */
  open: (source: S, signal: AbortSignal) => AsyncIterable<T>;
  /** How many walks are open at most. */
  concurrency: number;
  signal: AbortSignal;
}

/** One walk, whose turn it is. */
export interface Turn<S, T> {
  source: S;
  /** To be read to its end, or until it throws, before the next turn is asked for. */
  pages: AsyncIterable<T>;
}

/**
 * Gives each source its turn, in order. A walk that waits for its turn requests its first page and holds no more; one
 * whose turn it is requests a page while its consumer works on the one before.
 */
export async function* inTurn<S, T>(options: TurnOptions<S, T>): AsyncGenerator<Turn<S, T>, void, void> {
  const { sources, open, concurrency } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const waiting: { source: S; walk: AsyncIterator<T>; first: Promise<IteratorResult<T>> }[] = [];
  let next = 0;
  let walk: AsyncIterator<T> | undefined;
  try {
    for (;;) {
      for (; waiting.length < concurrency && next < sources.length; next += 1) {
        const source = sources[next] as S;
        const walk = open(source, signal)[Symbol.asyncIterator]();
        waiting.push({ source, walk, first: begin(walk) });
      }
      const turn = waiting.shift();
      if (!turn) return;
      walk = turn.walk;
      yield { source: turn.source, pages: ahead(turn.walk, turn.first) };
    }
  } finally {
    ended.abort();
    const open = [walk, ...waiting.map((turn) => turn.walk)];
    await Promise.allSettled(open.map((walk) => walk?.return?.()));
  }
}

async function* ahead<T>(walk: AsyncIterator<T>, first: Promise<IteratorResult<T>>) {
  for (let coming = first; ; ) {
    const { done, value } = await coming;
    if (done) return;
    coming = begin(walk);
    yield value;
  }
}

/** A page that fails throws when its turn comes, not before. */
function begin<T>(walk: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const page = walk.next();
  page.catch(() => {});
  return page;
}
