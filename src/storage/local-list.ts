import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredObject } from './storage.js';

/** Every file below a folder of a root; a symbolic link counts as a file when it leads to one, and is left out otherwise. */
export async function* listFiles(root: string, folder: string): AsyncGenerator<StoredObject> {
  if (await leadsThroughLink(root, folder)) return;
  yield* walk(root, folder);
}

async function* walk(root: string, folder: string): AsyncGenerator<StoredObject> {
  const entries = await unlessMissing(readdir(join(root, folder), { withFileTypes: true }));
  for (const entry of entries ?? []) {
    const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      yield* walk(root, key);
      continue;
    }
    const found = await unlessMissing(stat(join(root, key)));
    if (found && !found.isDirectory()) yield { key, bytes: found.size };
  }
}

/** The root itself may be a link: its owner chose that. */
async function leadsThroughLink(root: string, folder: string): Promise<boolean> {
  let path = root;
  for (const segment of folder.split('/').filter(Boolean)) {
    path = join(path, segment);
    if ((await unlessMissing<Stats>(lstat(path)))?.isSymbolicLink()) return true;
  }
  return false;
}

/** Undefined when it is absent: never made, or removed since its folder was read. */
export async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
