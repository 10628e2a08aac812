import { rename, type link as systemLink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachConcurrently } from '../concurrency.js';
import { StorageError } from '../errors.js';
import { drain, fileDiffers } from './checked-bytes.js';
import { type FileState, isSame, stateAt } from './file-state.js';
import { checkedBytesOf, finishedBytes, openFinished } from './finished-file.js';
import { tryLink } from './hard-link.js';
import { storageError } from './local-error.js';
import { fileModeOf, type LocalRoot, makeFolderOf, withTemporary } from './local-root.js';
import { inFolder } from './make-folder.js';
import type { FinishedFile } from './storage.js';
import { syncNames } from './sync-names.js';

const FILES_AT_ONCE = 16;

/** Where files are put. */
export interface Put {
  root: LocalRoot;
  signal?: AbortSignal | undefined;
  /** Default: the system's own. */
  link?: typeof systemLink | undefined;
}

/** A file that was checked, and what its path was then. */
interface CheckedFile extends FinishedFile {
  target: string;
  seen: FileState;
}

/**
 * Gives finished files their names below a root, see `Storage.put`. Reading them takes time and comes first. The names
 * are hard links, so that even many files of a run appear within a moment.
 */
export async function putFiles(files: readonly FinishedFile[], { root, signal, link }: Put): Promise<void> {
  const concurrency = { limit: FILES_AT_ONCE, signal };
  const checked: CheckedFile[] = [];
  await forEachConcurrently(files, concurrency, async (file, either) => {
    checked.push(await check(file, root, either));
  });
  const made: string[] = [];
  await forEachConcurrently(firstOfEachFolder(checked), concurrency, async ({ target }) => {
    made.push(...(await reporting(target, () => makeFolderOf(target, root))));
  });
  await forEachConcurrently(checked, concurrency, async (file) => {
    made.push(...(await reporting(file.target, () => giveName(file, root, link))));
  });
  const paths = checked.map(({ target }) => target);
  await reporting(root.path, () => syncNames({ paths, root: root.path, made }));
}

/**
 * The bytes, the mode and the sync are those of one open file: nobody can exchange it in between. One that this process wrote, and
 * that is still the same, was hashed and synced then.
 */
async function check(expected: FinishedFile, root: LocalRoot, signal: AbortSignal): Promise<CheckedFile> {
  const target = join(root.path, expected.key);
  const { seen: written } = expected;
  const found = written && (await stateAt(expected.path));
  if (written && isSame(found, written) && isMode(found?.mode, fileModeOf(target, root)))
    return { ...expected, target, seen: written };
  const file = await openFinished(expected.path);
  try {
    const seen = await file.stat({ bigint: true });
    await drain(checkedBytesOf(file, expected, signal));
    const mode = fileModeOf(target, root);
    await reporting(expected.path, async () => {
      if (!isMode(seen.mode, mode)) await file.chmod(mode);
      await file.sync();
    });
    return { ...expected, target, seen };
  } finally {
    await file.close();
  }
}

const isMode = (found: bigint | undefined, mode: number): boolean => (Number(found) & 0o7777) === mode;

/** One file for each folder. */
function firstOfEachFolder(files: readonly CheckedFile[]): Iterable<CheckedFile> {
  const byFolder = new Map<string, CheckedFile>();
  for (const file of files) {
    const folder = file.key.slice(0, file.key.lastIndexOf('/') + 1);
    if (!byFolder.has(folder)) byFolder.set(folder, file);
  }
  return byFolder.values();
}

/** @returns the folders that were made */
async function giveName(file: CheckedFile, root: LocalRoot, link?: typeof systemLink): Promise<string[]> {
  const { path, target, seen } = file;
  const { made, result: isLinked } = await inFolder(
    () => makeFolderOf(target, root),
    async () => {
      if (!(await isStill(path, seen))) throw changedMeanwhile(path);
      return await tryLink(path, target, link);
    },
  );
  if (!isLinked) return [...made, ...(await copy(file, root, link))];
  if (await isStill(target, seen)) return made;
  await unlink(target); // another file took the path between the two calls
  throw changedMeanwhile(path);
}

/** For a file system that makes no hard link here; the bytes are checked again. @returns the folders that were made */
async function copy(file: CheckedFile, root: LocalRoot, link?: typeof systemLink): Promise<string[]> {
  const { target } = file;
  const bytes = finishedBytes(file);
  return await withTemporary({ root, bytes, mode: fileModeOf(target, root) }, async (temporary) => {
    const { made } = await inFolder(
      () => makeFolderOf(target, root),
      async () => {
        if (await tryLink(temporary, target, link)) return;
        if (await stateAt(target)) throw nameTaken(target);
        await rename(temporary, target);
      },
    );
    return made;
  });
}

const isStill = async (path: string, seen: FileState): Promise<boolean> => isSame(await stateAt(path), seen);

const changedMeanwhile = (path: string): StorageError =>
  fileDiffers(path, 'it was changed while it was published');

const nameTaken = (path: string, cause?: unknown): StorageError =>
  new StorageError(`${path} exists already, and a published file is never replaced. Run again.`, {
    code: 'name_taken',
    cause,
  });

async function reporting<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException)?.code === 'EEXIST') throw nameTaken(path, error);
    throw storageError('publishing', path, error);
  }
}
