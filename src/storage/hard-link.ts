import { link as systemLink } from 'node:fs/promises';
import { StorageError } from '../errors.js';

/** EMLINK: the file has as many names as it may have. The others: there are no links here, or not of this file. */
const NO_LINK = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Gives a file a second name. False when the file system makes no hard link here. @throws any other error of the system */
export async function tryLink(path: string, name: string, link = systemLink): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    if (NO_LINK.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** For what only a hard link can do: give a finished file a name that is not taken. */
export const hardLinkError = (where: string): StorageError =>
  new StorageError(
    `Creating ${where} failed. Its file system makes no hard links, and every commit needs one: choose a folder on another file system.`,
    { code: 'hard_links_unsupported', failure: 'config' },
  );
