import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { checkedBytes, fileDiffers } from './checked-bytes.js';
import { storageError } from './local-error.js';
import type { FinishedFile } from './storage.js';

/** Read at once, in bytes. */
const PIECE = 128 * 1024;

/** O_NONBLOCK: the open of a FIFO would otherwise wait for a writer. Windows has neither flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Why a path is not a regular file, by the system's code. */
const PROBLEMS: Record<string, string> = {
  ENOENT: 'it is missing',
  ENOTDIR: 'it is missing',
  ELOOP: 'it is a symbolic link',
  ENXIO: 'it is not a regular file',
};

/**
 * Opens a finished local file to read it. A link is not followed; who opened it closes it.
 * @throws StorageError `file_differs` when the file is missing, a link, or anything but a regular file
 */
export async function openFinished(path: string): Promise<FileHandle> {
  const file = await open(path, FLAGS).catch((error: NodeJS.ErrnoException) => {
    const problem = PROBLEMS[error.code ?? ''];
    throw problem
      ? fileDiffers(path, `${problem}. Nothing was changed`)
      : storageError('reading', path, error);
  });
  try {
    if ((await file.stat()).isFile()) return file;
    throw fileDiffers(path, 'it is not a regular file. Nothing was changed');
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The bytes that follow in an open file, checked against what was expected. @throws StorageError `file_differs` */
export function checkedBytesOf(
  file: FileHandle,
  expected: FinishedFile,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  return checkedBytes(piecesOf(file, signal), expected, expected.path);
}

/** The bytes of a finished local file, checked while they are read. @throws StorageError `file_differs` */
export async function* finishedBytes(
  expected: FinishedFile,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const file = await openFinished(expected.path);
  try {
    yield* checkedBytesOf(file, expected, signal);
  } finally {
    await file.close();
  }
}

async function* piecesOf(file: FileHandle, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  while (true) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(PIECE) });
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
