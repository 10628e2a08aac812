import { randomUUID } from 'node:crypto';
import { lstat, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError } from '../errors.js';
import { isKnownDead, PROCESS_PATTERN, thisProcess } from '../process-identity.js';
import { LocalStorage } from './local.js';
import { storageError } from './local-error.js';
import { makeFolder } from './make-folder.js';

export interface NewFolder {
  /** Nothing, or an empty folder. */
  path: string;
  /** Of the files; the folder gets the same with `x` where `r` is. */
  fileMode: number;
}

/**
 * Makes a folder that appears with all of its files, or not at all. They are written into a temporary folder beside it,
 * for the owner only, with `stage`, which syncs each; then that folder gets its name. What a killed process left beside it is removed.
 * @throws ConfigError `folder_not_empty`; StorageError; what the work throws
 */
export async function withNewFolder<T>(
  { path, fileMode }: NewFolder,
  work: (folder: LocalStorage) => Promise<T>,
): Promise<T> {
  const target = resolve(path);
  await checkFree(target, path);
  const temporary = join(dirname(target), `.${basename(target)}.${thisProcess}.${randomUUID()}.tmp`);
  const writing = <R>(action: () => Promise<R>): Promise<R> =>
    action().catch((error: unknown) => {
      throw storageError('writing', path, error);
    });
  await writing(async () => {
    await makeFolder(dirname(target), folderMode(fileMode));
    await sweep(target);
    await makeFolder(temporary, 0o700);
  });
  try {
    const result = await work(new LocalStorage(temporary, { fileMode }));
    await writing(async () => {
      await publish(temporary, target, { path, fileMode });
    });
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function publish(temporary: string, target: string, { path, fileMode }: NewFolder): Promise<void> {
  await syncFolder(temporary, folderMode(fileMode));
  await rmdir(target).catch(() => undefined); // an empty one; what is in the way otherwise fails the next step
  await rename(temporary, target).catch(async (error: unknown) => {
    await checkFree(target, path);
    throw error;
  });
  await syncFolder(dirname(target));
}

/** A link is not followed: nobody knows what it replaces. */
async function checkFree(target: string, path: string): Promise<void> {
  const found = await lstat(target).catch(() => undefined);
  if (!found) return;
  if (found.isDirectory() && (await readdir(target)).length === 0) return;
  throw new ConfigError(
    `${path} is there already, and no empty folder. Choose another name: nothing is replaced.`,
    {
      code: 'folder_not_empty',
    },
  );
}

/** Removes the temporary folders of the same name whose processes have ended. */
async function sweep(target: string): Promise<void> {
  const [head, folder] = [`.${basename(target)}.`, dirname(target)];
  for (const name of await readdir(folder)) {
    const [, identity] = name.startsWith(head) ? (TEMPORARY.exec(name.slice(head.length)) ?? []) : [];
    if (identity !== undefined && isKnownDead(identity))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

const TEMPORARY = new RegExp(`^(${PROCESS_PATTERN})\\.[0-9a-f-]{36}\\.tmp$`);

const folderMode = (fileMode: number): number => fileMode | ((fileMode & 0o444) >> 2);

async function syncFolder(path: string, mode?: number): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const folder = await open(path, 'r');
  try {
    if (mode !== undefined) await folder.chmod(mode);
    await folder.sync();
  } finally {
    await folder.close();
  }
}
