import { createReadStream } from 'node:fs';
import { rename, rm, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { removeEmptyPartitions } from './empty-folders.js';
import type { FileState } from './file-state.js';
import { hardLinkError, tryLink } from './hard-link.js';
import { auditRoot } from './local-audit.js';
import { storageError } from './local-error.js';
import { listFiles, unlessMissing } from './local-list.js';
import { putFiles } from './local-put.js';
import { fileModeOf, type LocalRoot, makeFolderOf, withTemporary, writeNewFile } from './local-root.js';
import { inFolder } from './make-folder.js';
import {
  type FinishedFile,
  type Irregularity,
  once,
  type Storage,
  type StoredObject,
  type Written,
} from './storage.js';
import { syncNames } from './sync-names.js';

export interface LocalStorageOptions {
  /**
   * Of files, exactly, whatever the umask is; folders get the same with `x` where `r` is. Below `_staging` both are
   * for the owner only. Default 0o600: this is personal data.
   */
  fileMode?: number;
}

const OWNER_ONLY = 0o600;

/** A folder on a local disk. A file is synced before it gets its name, and its name is durable when the call resolves. */
export class LocalStorage implements Storage {
  readonly location: string;
  readonly localRoot: string;
  readonly #root: LocalRoot;
  /** By key: the files that this object has staged. */
  readonly #staged = new Map<string, FileState>();

  constructor(root: string, { fileMode = OWNER_ONLY }: LocalStorageOptions = {}) {
    this.location = root;
    this.localRoot = resolve(root);
    this.#root = { path: this.localRoot, fileMode, folderMode: fileMode | ((fileMode & 0o444) >> 2) };
  }

  async *read(key: string): AsyncGenerator<Uint8Array> {
    try {
      yield* createReadStream(this.#pathOf(key));
    } catch (error) {
      throw storageError('reading', join(this.location, key), error);
    }
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    try {
      yield* listFiles(this.localRoot, folder);
    } catch (error) {
      throw storageError('listing', placeOf(error) ?? join(this.location, folder), error);
    }
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    return await this.#writing(key, bytes, async (temporary, path, written) => {
      await rename(temporary, path);
      return written;
    });
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    return await this.#writing(key, once(bytes), async (temporary, path) => {
      try {
        if (await tryLink(temporary, path)) return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
      throw hardLinkError(join(this.location, key));
    });
  }

  async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
    await putFiles(files, { root: this.#root, signal });
  }

  async remove(key: string): Promise<void> {
    await this.#doing('removing', key, async () => {
      await unlessMissing(unlink(this.#pathOf(key)));
      await removeEmptyPartitions(this.localRoot, key);
    });
  }

  async *audit(): AsyncGenerator<Irregularity> {
    try {
      yield* auditRoot(this.#root);
    } catch (error) {
      throw storageError('checking', placeOf(error) ?? this.location, error);
    }
  }

  /**
   * Writes one file at its final place, without a temporary name, and syncs the file only: for a staged run, which
   * nobody reads. It replaces the file that is there by another one, in case a process that was believed dead still
   * writes to it; and it does not make the root again, which may have been taken from such a process.
   */
  async stage(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    return await this.#doing('writing', key, async () => {
      await stat(this.localRoot);
      const path = this.#pathOf(key);
      await rm(path, { force: true });
      const file = { root: this.#root, bytes, mode: fileModeOf(path, this.#root) };
      return await writeNewFile(path, file, (state) => this.#staged.set(key, state));
    });
  }

  /** A staged file as `put` takes it, for another storage. */
  finished(staged: string, file: Omit<FinishedFile, 'path' | 'seen'>): FinishedFile {
    return { ...file, path: this.#pathOf(staged), seen: this.#staged.get(staged) };
  }

  #pathOf(key: string): string {
    return join(this.localRoot, key);
  }

  /**
   * Writes a temporary file, and `name` gives it its final name; afterwards that name, and the folders made for it, are
   * durable. Its folders are made first: then a root that had to be made is among those that are synced.
   */
  async #writing<T>(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    name: (temporary: string, path: string, written: Written) => Promise<T>,
  ): Promise<T> {
    const path = this.#pathOf(key);
    const root = this.#root;
    return await this.#doing('writing', key, async () => {
      const first = await makeFolderOf(path, root);
      const file = { root, bytes, mode: fileModeOf(path, root) };
      return await withTemporary(file, async (temporary, written) => {
        const { result, made } = await inFolder(
          () => makeFolderOf(path, root),
          () => name(temporary, path, written),
        );
        await syncNames({ paths: [path], root: root.path, made: [...first, ...made] });
        return result;
      });
    });
  }

  async #doing<T>(verb: string, key: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw storageError(verb, join(this.location, key), error);
    }
  }
}

/** The file or folder of which the system reported an error. */
const placeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).path;
