import type { Clock } from '../../src/clock.js';

/** A clock whose hands only move when there is nothing more to do: to the next wait that ends. */
export interface FakeClock extends Clock {
  /** Lets everything run, and time pass, until the work is done. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Waits that have started and not ended. */
  readonly waiting: number;
}

interface Wait {
  at: number;
  ring(): void;
}

export function fakeClock({ start = Date.UTC(2026, 6, 1) }: { start?: number } = {}): FakeClock {
  let elapsed = 0;
  const waits = new Set<Wait>();
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

  function ringNext(): void {
    let next: Wait | undefined;
    for (const wait of waits) if (!next || wait.at < next.at) next = wait;
    if (!next) throw new Error('Nothing is left to wait for, and the work is not done: it hangs.');
    elapsed = Math.max(elapsed, next.at);
    waits.delete(next);
    next.ring();
  }

  return {
    now: () => start + elapsed,
    elapsed: () => elapsed,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const wait: Wait = {
          at: elapsed + ms,
          ring() {
            signal?.removeEventListener('abort', cancel);
            resolve();
          },
        };
        const cancel = () => {
          waits.delete(wait);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', cancel, { once: true });
        waits.add(wait);
      });
    },
    async run(work) {
      let done = false;
      const mark = () => {
        done = true;
      };
      work.then(mark, mark);
      for (;;) {
        await settled();
        if (done) return work;
        ringNext();
      }
    },
    get waiting() {
      return waits.size;
    },
  };
}
