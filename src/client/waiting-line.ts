import type { Clock } from '../clock.js';

/** The callers that wait to send a request, first come, first served. */
export interface WaitingLine {
  /** Resolves when the caller is first and need not wait any longer; rejects with the signal's reason. */
  join(signal?: AbortSignal): Promise<void>;
  /** Checks the wait again, because something changed that it depends on. */
  look(): void;
}

/** The shortest wait, in milliseconds: added to the time of day, a shorter one could be lost in rounding. */
const SHORTEST = 1e-3;

interface Waiter {
  go(): void;
}

/** A line whose first caller waits as long as `wait` says; `wait` is called again after every wait. */
export function waitingLine<W extends { ms: number }>({
  clock,
  wait,
  sent,
  waiting,
}: {
  clock: Clock;
  /** How long the first still waits, in milliseconds; 0: it may go; infinite: until `look`. */
  wait: () => W;
  /** Called when one may go. */
  sent: () => void;
  /** Called before each wait. */
  waiting: (wait: W) => void;
}): WaitingLine {
  const line: Waiter[] = [];
  let timer: AbortController | undefined;

  /** Lets go whoever may, and sets one timer for the first who may not yet. */
  function look(): void {
    timer?.abort();
    timer = undefined;
    while (line.length > 0) {
      const next = wait();
      if (next.ms > 0) {
        waiting(next);
        if (next.ms !== Number.POSITIVE_INFINITY) sleep(next.ms);
        return;
      }
      sent();
      line.shift()?.go();
    }
  }
  function sleep(ms: number): void {
    const mine = new AbortController();
    timer = mine;
    clock.sleep(Math.max(ms, SHORTEST), mine.signal).then(
      () => {
        if (timer === mine) look();
      },
      () => undefined, // something changed in the meantime, and the wait was checked again
    );
  }

  return {
    look,
    join(signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const leave = () => {
          line.splice(line.indexOf(waiter), 1);
          reject(signal?.reason);
          look(); // the timer of an empty line must not keep the process alive
        };
        const waiter: Waiter = {
          go() {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
        };
        signal?.addEventListener('abort', leave, { once: true });
        line.push(waiter);
        if (line.length === 1) look();
      });
    },
  };
}
