import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './make-folder.js';
import { sweepTemporaries, temporaryKey } from './temporary.js';

/**
 * Gives the work a folder of its own below a staging folder (0700: it is to hold personal data). It is removed afterwards,
 * whatever happens; what a killed process left of it is removed by the next one.
 */
export async function withScratch<T>(staging: string, work: (folder: string) => Promise<T>): Promise<T> {
  await sweepTemporaries(staging);
  const folder = join(staging, temporaryKey());
  await makeFolder(folder, 0o700);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
