import { join } from 'node:path';
import {
  checkedBytes,
  drain,
  type FileEntry,
  forEachConcurrently,
  LocalStorage,
  manifestFiles,
} from '../../../src/index.js';
import type { SnapshotSource } from './snapshot-source.js';

/** A data file of a snapshot on a local disk, whose bytes are those that the manifest names. */
export interface LocalFile {
  /** The stream that it is a part of. */
  readonly table: string;
  /** Absolute. */
  readonly path: string;
  readonly rows: number;
}

interface Fetch {
  /** A folder of this load alone, for files of a bucket. */
  scratch: string;
  signal: AbortSignal;
}

/** Files that are read at the same time. */
const CONCURRENCY = 8;

/**
 * The files that the manifest names, on a local disk, each compared with its size and SHA-256.
 * @throws StorageError `file_differs`, `not_found`
 */
export async function fetchFiles(source: SnapshotSource, { scratch, signal }: Fetch): Promise<LocalFile[]> {
  const files = manifestFiles(source.manifest);
  await forEachConcurrently(files, { limit: CONCURRENCY, signal }, (file) =>
    fetchFile(file, source, scratch),
  );
  const folder = source.storage.localRoot ?? scratch;
  return files.map(({ table, path, rows }) => ({ table, path: join(folder, path), rows }));
}

async function fetchFile(file: FileEntry, { storage }: SnapshotSource, scratch: string): Promise<void> {
  const bytes = checkedBytes(storage.read(file.path), file, `${storage.location}/${file.path}`);
  if (storage.localRoot === undefined) await new LocalStorage(scratch).write(file.path, bytes);
  else await drain(bytes);
}
