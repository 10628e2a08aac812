import type { Shown } from './data.js';

/** Collects what is to be shown, and counts the rest. */
export function shown<T>(limit: number) {
  const rows: T[] = [];
  let total = 0;
  return {
    add(row: T): void {
      total += 1;
      if (rows.length < limit) rows.push(row);
    },
    get: (): Shown<T> => ({ rows, total }),
  };
}
