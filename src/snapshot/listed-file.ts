import { createHash } from 'node:crypto';
import { StorageError } from '../errors.js';
import type { FileEntry } from './manifest.js';

/** Reads what is left of some bytes, for what their end has to say. @throws what reading them throws */
export async function drain(bytes: AsyncIterator<Uint8Array>): Promise<void> {
  while (!(await bytes.next()).done);
}

/**
 * The bytes of a file that a manifest or a journal lists; the end of them only comes when they are those that it names.
 * @param where for the message: the file's place, without credentials
 * @throws StorageError `file_differs`
 */
export async function* checkedBytes(
  bytes: AsyncIterable<Uint8Array>,
  listed: FileEntry,
  where: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
    yield chunk;
  }
  if (size === listed.bytes && hash.digest('hex') === listed.sha256) return;
  throw new StorageError(
    `${where} is not the file that was written: its ${size === listed.bytes ? 'SHA-256' : 'size'} differs. Nothing was changed.`,
    { code: 'file_differs' },
  );
}
