import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { FileState } from './file-state.js';
import { inFolder, makeFolder } from './make-folder.js';
import { STAGING } from './own-folders.js';
import type { Written } from './storage.js';
import { temporaryKey } from './temporary.js';

const STAGED_FILE = 0o600;
const STAGED_FOLDER = 0o700;

/** A folder on a local disk, and the modes of what is made in it. */
export interface LocalRoot {
  /** Absolute. */
  path: string;
  fileMode: number;
  folderMode: number;
}

/** Makes the folder of a file below a root, and those above it. @returns the folders that were made */
export async function makeFolderOf(path: string, root: LocalRoot): Promise<string[]> {
  if (!isStaged(path, root)) return await makeFolder(dirname(path), root.folderMode);
  const made = await makeFolder(root.path, root.folderMode);
  return [...made, ...(await makeFolder(dirname(path), STAGED_FOLDER))];
}

/** Of a file below a root, by its place. */
export const fileModeOf = (path: string, root: LocalRoot): number =>
  isStaged(path, root) ? STAGED_FILE : root.fileMode;

/** A file that is to be written below a root. */
export interface NewFile {
  root: LocalRoot;
  bytes: AsyncIterable<Uint8Array>;
  /** Exactly, whatever the umask is. */
  mode: number;
}

/** Writes a file that is not there yet, and syncs it; its name is not synced. @param seen takes what the file is then */
export async function writeNewFile(
  path: string,
  { root, bytes, mode }: NewFile,
  seen?: (state: FileState) => void,
): Promise<Written> {
  const hash = createHash('sha256');
  let size = 0;
  const { result: file } = await inFolder(
    () => makeFolderOf(path, root),
    () => open(path, 'wx', STAGED_FILE),
  );
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      size += chunk.byteLength;
      await writeChunk(file, chunk);
    }
    await file.chmod(mode);
    await file.sync();
    seen?.(await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
  return { bytes: size, sha256: hash.digest('hex') };
}

/** Writes a temporary file and gives it to an action; it is gone afterwards, whatever happens. */
export async function withTemporary<T>(
  file: NewFile,
  action: (path: string, written: Written) => Promise<T>,
): Promise<T> {
  const path = join(file.root.path, STAGING, temporaryKey());
  try {
    return await action(path, await writeNewFile(path, file));
  } finally {
    await rm(path, { force: true });
  }
}

const isStaged = (path: string, root: LocalRoot): boolean => path.startsWith(join(root.path, STAGING) + sep);

async function writeChunk(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength; ) {
    offset += (await file.write(chunk, offset)).bytesWritten;
  }
}
