import type { Row } from '../model/rows.js';

/** Rows that come in batches, and those of them that wait for the same key on the other side. */
export interface JoinSide {
  /** How many rows were read. */
  readonly read: number;
  readonly isEnded: boolean;
  /** The rows that wait, by their keys. */
  readonly waiting: ReadonlyMap<string, Row>;
  /** What they are about in memory: characters of their values. */
  readonly characters: number;
  /** Starts to read the next batch, if there may be one. */
  request(): void;
  /** The next batch; none at the end. @throws what reading throws */
  next(): Promise<readonly Row[]>;
  put(key: string, row: Row): void;
  /** The row that waits, which does not wait any more. */
  take(key: string): Row | undefined;
  clear(): void;
}

export function joinSide(batches: AsyncIterator<readonly Row[], void>): JoinSide {
  const waiting = new Map<string, Row>();
  let [read, isEnded, characters] = [0, false, 0];
  let requested: Promise<IteratorResult<readonly Row[], void>> | undefined;
  const request = () => {
    if (isEnded || requested) return requested;
    requested = batches.next();
    requested.catch(() => {}); // thrown by `next`, which may be called later
    return requested;
  };
  return {
    get read() {
      return read;
    },
    get isEnded() {
      return isEnded;
    },
    waiting,
    get characters() {
      return characters;
    },
    request: () => void request(),
    async next() {
      const result = await request();
      requested = undefined;
      if (!result || result.done) isEnded = true;
      const rows = result?.value ?? [];
      read += rows.length;
      return rows;
    },
    put(key, row) {
      waiting.set(key, row);
      characters += charactersOf(row);
    },
    take(key) {
      const row = waiting.get(key);
      if (row === undefined) return undefined;
      waiting.delete(key);
      characters -= charactersOf(row);
      return row;
    },
    clear() {
      waiting.clear();
      characters = 0;
    },
  };
}

/** About how much memory a row takes: a long `extra` counts. */
function charactersOf(row: Row): number {
  let characters = 0;
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'string') characters += value.length;
    else if (typeof value === 'object' && value !== null) characters += JSON.stringify(value).length;
  }
  return characters;
}
