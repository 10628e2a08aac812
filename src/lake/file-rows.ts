import { SinkError } from '../errors.js';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { decodeFile } from '../sinks/index.js';
import type { Storage } from '../storage/storage.js';
import { checkedFile } from './checked-file.js';
import type { FileEntry } from './manifest.js';
import { type Pseudonymous, pseudonymsRead } from './pseudonyms-read.js';

/** A snapshot in its root. */
export interface PublishedSnapshot extends Pseudonymous {
  storage: Storage;
}

/**
 * The rows of a published file. What was returned counts only when the end is reached: a file that was changed is found there.
 * @throws StorageError `file_differs`; SinkError `rows_differ`, `file_unreadable`; ConfigError `pseudonyms_differ`
 */
export async function* fileRows(
  file: FileEntry,
  schema: StreamSchema,
  snapshot: PublishedSnapshot,
): AsyncGenerator<readonly Row[]> {
  const { storage, manifest, pseudonyms } = snapshot;
  const { format } = manifest;
  const { path } = file;
  pseudonymsRead(snapshot); // before anything is read
  const written = manifest.pseudonyms?.columns ?? [];
  const place = `${storage.location}/${path}`;
  let rows = 0;
  const batches = checkedFile({
    bytes: storage.read(path),
    expected: file,
    place,
    decode: (bytes) => decodeFile({ format, path, schema, bytes }),
  });
  for await (const batch of batches) {
    rows += batch.length;
    yield pseudonyms ? pseudonyms.rows(schema, batch, written) : batch;
  }
  if (rows === file.rows) return;
  throw new SinkError(`${place} holds ${rows} rows where ${file.rows} are listed.`, { code: 'rows_differ' });
}
