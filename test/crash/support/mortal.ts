import { type Storage, StorageError } from '../../../src/index.js';
import { type Step, stepwise } from './steps.js';

interface Harm {
  /** Whether the root is changed by the step at which it happens. */
  isPerformed: boolean;
  /** Whether the process dies. Else the step fails, as far as it hears, and so do the next operations. */
  isFatal: boolean;
  /** How many operations in a row fail in a process that lives on, those that only read included. */
  failures: number;
}

/** What happens to a process at one of its steps. */
export const mishaps = {
  'dies before': { isPerformed: false, isFatal: true, failures: 0 },
  'dies after': { isPerformed: true, isFatal: true, failures: 0 },
  'fails at': { isPerformed: false, isFatal: false, failures: 1 },
  'loses the answer of': { isPerformed: true, isFatal: false, failures: 1 },
  'fails twice from': { isPerformed: false, isFatal: false, failures: 2 },
  'cannot reach the store any more after': { isPerformed: true, isFatal: false, failures: 1_000_000 },
} as const satisfies Record<string, Harm>;
export type Mishap = keyof typeof mishaps;

/** What a dead process gets for an answer: no code of the project knows this error. */
export class Died extends Error {}

export interface Mortal {
  storage: Storage;
  /** Where it happened; undefined when the process had ended before. */
  readonly step: Step | undefined;
}

/**
 * A storage as a process sees it to which something happens. A dead process can do nothing any more.
 * @param at the step, counted from 1
 */
export function mortal(inner: Storage, { at, mishap }: { at: number; mishap: Mishap }): Mortal {
  const { isPerformed, isFatal, failures } = mishaps[mishap];
  let struck: Step | undefined;
  let left = 0;
  const isOut = (): boolean => {
    if (isFatal) return struck !== undefined;
    left -= 1;
    return left >= 0;
  };
  const error = (): Error =>
    isFatal
      ? new Died('This process is dead.')
      : new StorageError('The store cannot be reached.', { code: 'unreachable', failure: 'transient' });
  return {
    storage: stepwise(inner, {
      async around(step, perform) {
        if (isOut()) throw error();
        if (step.number !== at) return await perform();
        struck = step;
        left = failures - 1;
        if (isPerformed) await perform();
        throw error();
      },
      beforeRead() {
        if (isOut()) throw error();
      },
    }),
    get step() {
      return struck;
    },
  };
}
