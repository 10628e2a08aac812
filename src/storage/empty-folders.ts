import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Not empty, in use, or no folder. */
const STAYS = ['ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOTDIR'];

/**
 * Removes the folders above a key that are empty, from the deepest up, as long as they have a name such as
 * `run_date=2026-01-31`. The first segment of the key is a table and is kept. Others may make and remove the same folders.
 */
export async function removeEmptyPartitions(root: string, key: string): Promise<void> {
  for (let folder = dirname(key); isPartition(folder); folder = dirname(folder)) {
    try {
      await rmdir(join(root, folder));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (STAYS.includes(code)) return;
      if (code !== 'ENOENT') throw error; // absent: somebody else removed it, perhaps without the one above it
    }
  }
}

const isPartition = (folder: string): boolean => /\/[^/=]+=[^/]+$/.test(folder);
