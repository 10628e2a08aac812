import type { FileState } from './file-state.js';

/** What a finished write left. */
export interface Written {
  bytes: number;
  /** Lower-case hexadecimal. */
  sha256: string;
}

export interface StoredObject {
  /** Relative to the root, segments separated by `/`. */
  key: string;
  bytes: number;
}

/** A finished local file, and the key that it is to get. */
export interface FinishedFile extends Written {
  /** Relative to the root, segments separated by `/`. Used once: it holds the id of the run. */
  key: string;
  /** Absolute. */
  path: string;
  /** What the file was when this process had written and synced it: while it still is, its bytes need not be read again. */
  seen?: FileState | undefined;
}

/** Something below a root that should not be there in this form. */
export interface Irregularity {
  /** Relative to the root; '' is the root itself. */
  key: string;
  /** `link`: a symbolic link. `mode`: a file or folder with permissions that this storage does not give. */
  problem: 'link' | 'mode';
  /** Follows the key in a sentence: `has mode 0644, more than 0600`. */
  detail: string;
}

/**
 * Takes bytes and makes an object appear complete or not at all: a local folder, or a bucket. Keys are relative,
 * made of `[A-Za-z0-9._=-]` and `/`. Every method may throw StorageError.
 */
export interface Storage {
  /** For messages and evidence, without credentials: a path, or `s3://bucket/prefix`. */
  readonly location: string;
  /** A local folder on the same file system, for staged runs; undefined where files are uploaded. */
  readonly localRoot?: string;
  /** @throws StorageError `not_found` */
  read(key: string): AsyncIterable<Uint8Array>;
  /**
   * Every object below a folder, at any depth, in no set order; nothing when it is absent. Symbolic links to folders
   * are not followed.
   */
  list(folder: string): AsyncIterable<StoredObject>;
  /** Replaces what is there: only for copies that can be made again. */
  write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written>;
  /** False, and nothing changed, when the key is taken. Every commit depends on this one method. */
  create(key: string, bytes: Uint8Array): Promise<boolean>;
  /**
   * Gives finished local files keys that nothing has. A link, or anything but a regular file, is refused, and no file
   * gets its key unless it has the size and SHA-256 that are given, or is as it was `seen`. On a local disk all files are checked before the
   * first gets its key, and a key that is taken is refused; a bucket does not check that. When it resolves, files and names
   * are durable. When it throws, some files may have their keys. The local files stay where they are.
   * @throws StorageError `file_differs`, `name_taken`; the signal's reason
   */
  put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void>;
  /**
   * Absent is fine. On a local disk the folders above it that are empty then go too, up to its table, when they have
   * a name such as `run_date=2026-01-31`.
   */
  remove(key: string): Promise<void>;
  /**
   * On a local disk: symbolic links, and files and folders that more people may use than this storage's modes allow:
   * the root, `_runs`, every folder of the root that holds a `run_date=` folder, and all that is below them. Other
   * folders of the root belong to others and are not read; `_staging` is not either.
   */
  audit?(): AsyncIterable<Irregularity>;
  /**
   * Finds out by trying whether `create` keeps its promise, where that is not certain: some stores that speak S3's
   * protocol accept the condition and ignore it.
   * @throws ConfigError `create_if_absent_ignored`
   */
  probe?(): Promise<void>;
}

/** Bytes that are all in memory, where a stream of them is wanted. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
