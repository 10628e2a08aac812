import { type Storage, StorageError } from '../../../src/index.js';

const isLease = (key: string): boolean => key.startsWith('_runs/leases');

/** A storage as a run sees it that never learns of another: every lease is its own. */
export function withoutLeases(inner: Storage): Storage {
  const own = new Map<string, Uint8Array>();
  return {
    location: inner.location,
    async *read(key) {
      const bytes = own.get(key);
      if (bytes) yield bytes;
      else if (isLease(key)) throw new StorageError(`There is no ${key}.`, { code: 'not_found' });
      else yield* inner.read(key);
    },
    async *list(folder) {
      if (!isLease(folder)) yield* inner.list(folder);
    },
    async create(key, bytes) {
      if (!isLease(key)) return await inner.create(key, bytes);
      own.set(key, bytes);
      return true;
    },
    write: (key, bytes) => inner.write(key, bytes),
    put: (files, signal) => inner.put(files, signal),
    async remove(key) {
      if (!own.delete(key)) await inner.remove(key);
    },
  };
}
