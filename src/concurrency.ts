/**
 * Runs an action for each item, at most `limit` at a time, in order. The first failure aborts the signal that the
 * others were given; it is thrown when all of them have ended.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  { limit, signal }: { limit: number; signal?: AbortSignal | undefined },
  action: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const queue = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (!either.aborted) {
      const { done, value } = queue.next();
      if (done) return;
      try {
        await action(value, either);
      } catch (error) {
        errors.push(error);
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (errors.length > 0) throw errors[0];
  signal?.throwIfAborted();
}
