import type { Storage } from '../../../src/index.js';
import { MemoryStorage } from '../../root/support/memory-storage.js';
import { contentsOf } from './contents.js';
import { Root } from './root.js';

/** A folder of a storage as a storage of its own: two roots to which one thing happens. */
export function prefixed(inner: Storage, folder: string): Storage {
  const prefix = `${folder}/`;
  return {
    location: prefix,
    read: (key) => inner.read(prefix + key),
    async *list(below) {
      for await (const { key, bytes } of inner.list(below === '' ? folder : prefix + below))
        yield { key: key.slice(prefix.length), bytes };
    },
    write: (key, bytes) => inner.write(prefix + key, bytes),
    create: (key, bytes) => inner.create(prefix + key, bytes),
    put: (files, signal) =>
      inner.put(
        files.map((file) => ({ ...file, key: prefix + file.key })),
        signal,
      ),
    remove: (key) => inner.remove(prefix + key),
  };
}

/** What a folder of a storage holds now, as a root. */
export const rootAt = async (inner: Storage, folder: string): Promise<Root> =>
  new Root(new MemoryStorage(await contentsOf(prefixed(inner, folder))));
