import type { Storage } from '../../../src/index.js';
import { stepwise } from './steps.js';

export interface Sleeper {
  storage: Storage;
  /** Resolves when it sleeps; never when it had ended before. */
  asleep: Promise<void>;
  /** What it was about to do. */
  readonly operation: string | undefined;
  /** Whether it had the lease of any day before it slept. */
  readonly hadLease: boolean;
  wake(): void;
}

/** A storage as a process sees it that is stopped before an operation, counted from 1, those that only read included. */
export function sleeper(inner: Storage, at: number): Sleeper {
  let count = 0;
  let operation: string | undefined;
  let hadLease = false;
  let fallAsleep = (): void => {};
  let wake = (): void => {};
  const asleep = new Promise<void>((resolve) => {
    fallAsleep = resolve;
  });
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const turn = async (what: string): Promise<void> => {
    count += 1;
    if (count !== at) return;
    operation = what;
    fallAsleep();
    await woken;
  };
  return {
    storage: stepwise(inner, {
      async around(step, perform) {
        await turn(`${step.operation} ${step.key}`);
        const result = await perform();
        const isTaken = step.operation === 'write' || result === true;
        if (operation === undefined && isTaken && step.key.startsWith('_runs/leases/')) hadLease = true;
        return result;
      },
      beforeRead: (key) => turn(`read ${key}`),
    }),
    asleep,
    get operation() {
      return operation;
    },
    get hadLease() {
      return hadLease;
    },
    wake,
  };
}
