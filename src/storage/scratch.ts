import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from './local-error.js';
import { makeFolder } from './make-folder.js';
import { sweepTemporaries, temporaryKey } from './temporary.js';

/** A folder for temporary files; who opens it removes it. */
export interface Scratch {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Makes a new folder below a staging folder (0700: it is to hold personal data). What a killed process left of such folders
 * is removed first. @throws StorageError
 */
export async function openScratch(staging: string): Promise<Scratch> {
  const path = join(staging, temporaryKey());
  try {
    await sweepTemporaries(staging);
    await makeFolder(path, 0o700);
  } catch (error) {
    throw storageError('writing', staging, error);
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Gives the work a folder of its own below a staging folder. It is removed afterwards, whatever happens. */
export async function withScratch<T>(staging: string, work: (folder: string) => Promise<T>): Promise<T> {
  const scratch = await openScratch(staging);
  try {
    return await work(scratch.path);
  } finally {
    await scratch.remove();
  }
}
