import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StorageError } from '../errors.js';
import { storageError } from './local-error.js';
import { makeFolder } from './make-folder.js';
import { once, type StagedFolder, type Storage, type StoredObject, type Written } from './storage.js';
import { temporaryKey } from './temporary.js';

export interface LocalStorageOptions {
  /** Of files; folders get the same with `x` where `r` is. Default 0o600: this is personal data. */
  fileMode?: number;
}

const OWNER_ONLY = 0o600;

/** Where half-written files of a root lie: beside the stagings, outside every table. */
const STAGING = '_staging';

/** A folder on a local disk. Everything is fsynced before it gets its name. */
export class LocalStorage implements Storage {
  readonly location: string;
  readonly localRoot: string;
  readonly #fileMode: number;
  readonly #folderMode: number;

  constructor(root: string, { fileMode = OWNER_ONLY }: LocalStorageOptions = {}) {
    this.location = root;
    this.localRoot = resolve(root);
    this.#fileMode = fileMode;
    this.#folderMode = fileMode | ((fileMode & 0o444) >> 2);
  }

  async *read(key: string): AsyncGenerator<Uint8Array> {
    try {
      yield* createReadStream(join(this.localRoot, key));
    } catch (error) {
      throw storageError('reading', join(this.location, key), error);
    }
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    const entries = await readdir(join(this.localRoot, folder), { withFileTypes: true }).catch((error) => {
      if (isCode(error, 'ENOENT')) return [];
      throw storageError('listing', join(this.location, folder), error);
    });
    for (const entry of entries) {
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        yield* this.list(key);
        continue;
      }
      const found = await stat(join(this.localRoot, key)).catch((error) => {
        if (isCode(error, 'ENOENT')) return undefined; // removed since the folder was read
        throw storageError('listing', join(this.location, key), error);
      });
      if (found) yield { key, bytes: found.size };
    }
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    return await this.#withTemporary(
      key,
      async (temporary, written) => {
        const path = await this.#place(key);
        await rename(temporary, path);
        await syncFolder(dirname(path));
        return written;
      },
      bytes,
    );
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    return await this.#withTemporary(
      key,
      async (temporary) => {
        const path = await this.#place(key);
        try {
          await link(temporary, path);
        } catch (error) {
          if (isCode(error, 'EEXIST')) return false;
          throw error;
        }
        await syncFolder(dirname(path));
        return true;
      },
      once(bytes),
    );
  }

  async remove(key: string): Promise<void> {
    await this.#doing('removing', key, () => rm(join(this.localRoot, key), { force: true }));
  }

  async removeFolder(folder: string): Promise<void> {
    await this.#doing('removing', folder, async () => {
      const path = join(this.localRoot, folder);
      if (!(await exists(path))) return;
      const doomed = await this.#place(`${STAGING}/${temporaryKey()}`);
      await rename(path, doomed);
      await syncFolder(dirname(path));
      await rm(doomed, { recursive: true, force: true });
    });
  }

  /** Two renames: a folder that is not empty cannot be replaced by one. Killed in between, the next call goes on. */
  async replaceFolder(folder: string, staged: StagedFolder): Promise<void> {
    await this.#doing('publishing', folder, async () => {
      const path = await this.#place(folder);
      const old = `${staged.path}.replaced`;
      if (await exists(staged.path)) {
        await this.#checkThere(staged.path, staged);
        await this.#applyModes(staged);
        await rm(old, { recursive: true, force: true });
        await staged.proceed?.();
        if (await exists(path)) await rename(path, old);
        await rename(staged.path, path);
      } else if (staged.files.length > 0) {
        await this.#checkThere(path, staged); // it has gone: to its place, by an earlier call, or else somebody took it
      } else if (await exists(path)) {
        await this.#checkThere(dirname(staged.path), { path: '', files: ['.'] }); // or else somebody took it
        await rm(old, { recursive: true, force: true });
        await staged.proceed?.();
        await rename(path, old);
      }
      await syncFolder(dirname(path));
      await rm(old, { recursive: true, force: true });
    });
  }

  async #checkThere(folder: string, { files }: StagedFolder): Promise<void> {
    for (const file of files) {
      if (await exists(join(folder, file))) continue;
      throw new StorageError(`${join(folder, file)} is missing, which was staged. Run again with --fresh.`, {
        code: 'staged_file_missing',
      });
    }
  }

  /**
   * Writes one file where it is to stay, without the detour of a temporary name: for a staging, which nobody reads.
   * What stood there is another file from then on, should a process that was believed dead still write to it; and that
   * one must not make the folder anew which was taken from it.
   */
  async stage(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    return await this.#doing('writing', key, async () => {
      await stat(this.localRoot);
      const path = await this.#place(key);
      await rm(path, { force: true });
      return await this.#writeFile(path, bytes);
    });
  }

  /** A staging is its owner's alone; what is published has this storage's modes. */
  async #applyModes({ path, files }: StagedFolder): Promise<void> {
    if (this.#fileMode === OWNER_ONLY) return;
    for (const file of files) await chmod(join(path, file), this.#fileMode);
    for (const folder of new Set(['.', ...files.map(dirname)]))
      await chmod(join(path, folder), this.#folderMode);
  }

  /** The folder of a key is there afterwards. */
  async #place(key: string): Promise<string> {
    const path = join(this.localRoot, key);
    await makeFolder(dirname(path), this.#folderMode);
    return path;
  }

  async #withTemporary<T>(
    key: string,
    use: (temporary: string, written: Written) => Promise<T>,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<T> {
    return await this.#doing('writing', key, async () => {
      const temporary = await this.#place(`${STAGING}/${temporaryKey()}`);
      try {
        return await use(temporary, await this.#writeFile(temporary, bytes));
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  async #writeFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    const hash = createHash('sha256');
    let size = 0;
    const file = await open(path, 'w', this.#fileMode);
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.byteLength;
        await writeWhole(file, chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return { bytes: size, sha256: hash.digest('hex') };
  }

  async #doing<T>(verb: string, key: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw storageError(verb, join(this.location, key), error);
    }
  }
}

async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength; ) {
    offset += (await file.write(chunk, offset)).bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error) => {
      if (isCode(error, 'ENOENT')) return false;
      throw error;
    },
  );
}

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException)?.code === code;
