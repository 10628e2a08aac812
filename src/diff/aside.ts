import type { Partitions } from '../storage/partitions.js';

/** Values that wait for others of the same key: in memory while they are few, and then on the disk. */
export interface Aside<T> {
  readonly isEmpty: boolean;
  /** @param value as JSON holds it @throws StorageError */
  add(key: string, value: T): Promise<void>;
  /** All values by their keys, a few thousand keys at a time; those of one key in the order in which they were added. */
  groups(): AsyncGenerator<Map<string, T[]>, void, void>;
  /** Removes what is on the disk. */
  remove(): Promise<void>;
}

/** @param open gives a place for them, when there is the first one */
export function setAside<T>(open: () => Partitions): Aside<T> {
  let partitions: Partitions | undefined;
  return {
    get isEmpty() {
      return partitions === undefined;
    },
    async add(key, value) {
      partitions ??= open();
      partitions.add(key, JSON.stringify([key, value]));
      if (partitions.isDue) await partitions.spill();
    },
    async *groups() {
      for await (const lines of partitions?.read() ?? []) {
        const groups = new Map<string, T[]>();
        for (const line of lines) {
          const [key, value] = JSON.parse(line) as [string, T];
          const group = groups.get(key);
          if (group) group.push(value);
          else groups.set(key, [value]);
        }
        yield groups;
      }
    },
    remove: async () => partitions?.remove(),
  };
}

/** In an order that depends on the keys alone. */
export const byKey = <T>(groups: ReadonlyMap<string, T>): [key: string, T][] =>
  [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
