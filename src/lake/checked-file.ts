import { ComplianceError, SinkError } from '../errors.js';
import { checkedBytes, drain } from '../storage/checked-bytes.js';
import type { Written } from '../storage/storage.js';

interface CheckedFile<T> {
  bytes: AsyncIterable<Uint8Array>;
  /** What the manifest or the journal says of the file. */
  expected: Written;
  /** Names it in messages, without credentials. */
  place: string;
  decode(bytes: AsyncIterable<Uint8Array>): AsyncIterable<T>;
}

/**
 * What a file holds that was written by this connector. A file that was changed is reported as one that differs, not as
 * whatever its reader stumbles over; so what was returned counts only when the end is reached.
 * @throws StorageError `file_differs`; SinkError `file_unreadable`, or what decoding throws
 */
export async function* checkedFile<T>({ bytes, expected, place, decode }: CheckedFile<T>): AsyncGenerator<T> {
  const checked = checkedBytes(bytes, expected, place);
  const unclosed = { [Symbol.asyncIterator]: () => ({ next: () => checked.next() }) };
  try {
    yield* decode(unclosed);
    await drain(checked);
  } catch (error) {
    await drain(checked);
    if (error instanceof ComplianceError) throw error;
    throw new SinkError(`${place} cannot be read, although it is the file that was written.`, {
      code: 'file_unreadable',
      cause: error,
    });
  } finally {
    await checked.return(undefined);
  }
}
