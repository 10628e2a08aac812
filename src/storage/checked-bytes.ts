import { createHash } from 'node:crypto';
import { StorageError } from '../errors.js';
import type { Written } from './storage.js';

/** Reads some bytes to their end and keeps none. @throws what reading them throws */
export async function drain(bytes: AsyncIterator<Uint8Array>): Promise<void> {
  while (!(await bytes.next()).done);
}

/**
 * The bytes of a file that a manifest or a journal names. They end without an error only when their size and SHA-256
 * are the expected ones.
 * @param where for the message: the place of the file, without credentials
 * @throws StorageError `file_differs`
 */
export async function* checkedBytes(
  bytes: AsyncIterable<Uint8Array>,
  expected: Written,
  where: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
    yield chunk;
  }
  if (size === expected.bytes && hash.digest('hex') === expected.sha256) return;
  const difference = size === expected.bytes ? 'SHA-256' : 'size';
  throw fileDiffers(where, `its ${difference} differs. Nothing was changed`);
}

/** @param problem continues the sentence; without a full stop */
export const fileDiffers = (where: string, problem: string): StorageError =>
  new StorageError(`${where} is not the file that was written: ${problem}.`, { code: 'file_differs' });
