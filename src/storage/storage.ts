/** What a finished write left. */
export interface Written {
  bytes: number;
  /** Lower-case hexadecimal. */
  sha256: string;
}

export interface StoredObject {
  /** Relative to the root, parts parted by `/`. */
  key: string;
  bytes: number;
}

/** A local folder whose files are ready to be put under their final names. */
export interface StagedFolder {
  /** An absolute path; it may be absent, which means: no files. */
  path: string;
  /** Every file in it, relative to it, parts parted by `/`. */
  files: readonly string[];
  /** Asked before each change to what readers see; throws when it must not be made, or not any more. */
  proceed?: () => Promise<void>;
}

/**
 * Takes bytes and makes an object appear whole or not at all: a local folder, or a bucket. Keys are relative,
 * made of `[A-Za-z0-9._=-]` and `/`. Every method may throw StorageError.
 */
export interface Storage {
  /** For messages and evidence, without credentials: a path, or `s3://bucket/prefix`. */
  readonly location: string;
  /** A local folder on the same file system, for the staging; undefined where nothing can be renamed. */
  readonly localRoot?: string;
  /** @throws StorageError `not_found` */
  read(key: string): AsyncIterable<Uint8Array>;
  /** Every object below a folder, at any depth, in no set order; nothing when it is absent. */
  list(folder: string): AsyncIterable<StoredObject>;
  /** Replaces what stood there. */
  write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written>;
  /** False, and nothing changed, when something stands there already. The one primitive that locks stand on. */
  create(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Absent is fine. */
  remove(key: string): Promise<void>;
  /** Removes every object below a folder; on a local disk they are gone all at once. Absent is fine. */
  removeFolder(folder: string): Promise<void>;
  /**
   * Makes `folder` hold exactly the staged files. May be killed at any point and called again: it goes on
   * from where it was, as long as nobody else wrote there.
   */
  replaceFolder(folder: string, staged: StagedFolder): Promise<void>;
  /**
   * Tells by trying whether `create` keeps its promise, where that is not certain: some look-alikes of S3 take the
   * condition and ignore it.
   * @throws ConfigError `create_if_absent_ignored`
   */
  probe?(): Promise<void>;
}

/** Bytes that are all there, where a stream of them is asked for. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
