import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type FileEntry, LocalStorage, manifestFiles } from '../../src/index.js';
import type { SnapshotSource } from './snapshot-source.js';
import { WarehouseError } from './warehouse-error.js';

/** A data file of a snapshot on this machine's disk, whose bytes are those that the manifest names. */
export interface LocalFile {
  /** The stream that it is a part of. */
  readonly table: string;
  /** Absolute. */
  readonly path: string;
  readonly rows: number;
}

interface Fetch {
  /** A folder of this load's own, for files that lie elsewhere. */
  staging: string;
  signal: AbortSignal;
}

/** Files of a bucket that are fetched at the same time. */
const CONCURRENCY = 8;

/**
 * The files that the manifest lists, on a local disk, each compared with its size and SHA-256.
 * @throws WarehouseError `file_differs`; StorageError
 */
export async function fetchFiles(source: SnapshotSource, { staging, signal }: Fetch): Promise<LocalFile[]> {
  const files = manifestFiles(source.manifest);
  const fetched: LocalFile[] = new Array(files.length);
  const queue = files.entries();
  let isFailed = false;
  const results = await Promise.allSettled(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const [index, file] of queue) {
        if (isFailed) return;
        try {
          signal.throwIfAborted();
          const path = await fetchFile(file, source, staging);
          fetched[index] = { table: file.table, path, rows: file.rows };
        } catch (error) {
          isFailed = true;
          throw error;
        }
      }
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return fetched;
}

async function fetchFile(file: FileEntry, { storage, manifest }: SnapshotSource, staging: string) {
  const local = storage.localRoot;
  const found =
    local === undefined
      ? await new LocalStorage(staging).write(file.path, storage.read(file.path))
      : await measure(storage.read(file.path));
  if (found.bytes !== file.bytes || found.sha256 !== file.sha256) {
    throw new WarehouseError(
      `${storage.location}/${file.path} is not the file that the manifest of ${manifest.run_date} names: its ${found.bytes === file.bytes ? 'SHA-256' : 'size'} differs. Nothing was loaded; restore it, or take the snapshot again.`,
      { code: 'file_differs' },
    );
  }
  return join(local ?? staging, file.path);
}

async function measure(bytes: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { bytes: size, sha256: hash.digest('hex') };
}
