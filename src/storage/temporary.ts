import { randomUUID } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isKnownDead, PROCESS_PATTERN, thisProcess } from '../process-identity.js';
import { storageError } from './local-error.js';

const FOLDER = 'tmp';
const DAY = 24 * 60 * 60 * 1000;
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const NAME = new RegExp(`^(${PROCESS_PATTERN})\\.${UUID}$`);

/** A new name for something unfinished, below a staging folder: `tmp/<process>.<uuid>`. */
export const temporaryKey = (): string => `${FOLDER}/${thisProcess}.${randomUUID()}`;

/**
 * Removes unfinished files and folders of processes that have ended. Whether a process of another machine has ended is
 * not known: what it left is removed when it is a day old. Only names that `temporaryKey` could have given are touched; a
 * link that has such a name is removed itself, and not followed.
 * @throws StorageError
 */
export async function sweepTemporaries(staging: string): Promise<void> {
  const folder = join(staging, FOLDER);
  for (const name of await namesIn(folder)) {
    const [, identity] = NAME.exec(name) ?? [];
    if (identity === undefined) continue;
    const path = join(folder, name);
    if (isKnownDead(identity) || (await isOld(path))) {
      await rm(path, { recursive: true, force: true }).catch((error) => {
        throw storageError('removing', path, error);
      });
    }
  }
}

/** The unfinished files and folders in a staging folder, as seen from it: of processes that live, or of another machine. */
export const temporariesIn = async (staging: string): Promise<string[]> =>
  (await namesIn(join(staging, FOLDER))).filter((name) => NAME.test(name)).map((name) => `${FOLDER}/${name}`);

/** None when the folder is absent, or a link to a folder of somebody else's. */
async function namesIn(folder: string): Promise<string[]> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() ? await readdir(folder).catch(() => []) : [];
}

async function isOld(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > DAY;
}
