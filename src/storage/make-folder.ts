import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How often a folder is made again that another process removes at the same time. */
const ATTEMPTS = 10;

/**
 * Makes a folder and those above it, each with exactly this mode, whatever the umask is. A folder that exists keeps
 * its mode. Node's own `recursive` reports a read-only disk as "not found", and never ends below a folder that accepts
 * none, such as /proc.
 * @returns the folders that were made
 */
export async function makeFolder(path: string, mode: number): Promise<string[]> {
  const made: string[] = [];
  for (let left = ATTEMPTS; ; left--) {
    try {
      if (await makeOne(path, mode)) made.push(path);
      return made;
    } catch (error) {
      if (!isMissing(error) || dirname(path) === path || left === 0) throw error;
    }
    made.push(...(await makeFolder(dirname(path), mode)));
  }
}

/**
 * Runs an action in a folder that may be absent. It is made then, also when another process removes it, empty, at the
 * same time.
 * @param make returns the folders that it made
 */
export async function inFolder<T>(
  make: () => Promise<string[]>,
  action: () => Promise<T>,
): Promise<{ result: T; made: string[] }> {
  const made: string[] = [];
  for (let left = ATTEMPTS; ; left--) {
    try {
      return { result: await action(), made };
    } catch (error) {
      if (!isMissing(error) || left === 0) throw error;
    }
    made.push(...(await make()));
  }
}

/** False when it exists. The set-group-ID bit stays: a folder inherits it so that a group may read. */
async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  const found = (await stat(path)).mode;
  if ((found & 0o777) !== mode) await chmod(path, (found & 0o7000) | mode);
  return true;
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException)?.code === 'ENOENT';
