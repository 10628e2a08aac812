import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it. Node's own `recursive` calls a read-only disk "not found", and never ends below
 * a folder that takes none, such as /proc.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  if ((await tryToMake(path, mode)) || dirname(path) === path) return;
  await makeFolder(dirname(path), mode);
  await mkdir(path, { mode }).catch(unlessThere);
}

/** False when a folder above is missing. */
async function tryToMake(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode }).catch(unlessThere);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
