import { randomUUID } from 'node:crypto';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, StorageError } from '../../src/index.js';

interface OutputFile {
  path: string;
  /** The flag that names it. */
  flag: string;
  mode: number;
  /** Whether a file that is there is replaced. */
  overwrite: boolean;
}

/** @throws ConfigError `file_exists` */
export async function checkAbsent({ path, flag, overwrite }: OutputFile): Promise<void> {
  if (overwrite || !(await lstat(path).catch(() => undefined))) return;
  throw exists(path, flag);
}

/**
 * Writes a file that appears completely or not at all: under a temporary name in the same folder, synced, then renamed.
 * @returns its size @throws ConfigError `file_exists`, `file_unwritable`; StorageError `file_unwritable`; what the bytes throw
 */
export async function writeOutputFile(bytes: AsyncIterable<Uint8Array>, output: OutputFile): Promise<number> {
  const { path, mode } = output;
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  const file = await system(output, () => open(temporary, 'wx', 0o600));
  let size = 0;
  try {
    try {
      for await (const chunk of bytes) {
        await system(output, () => file.appendFile(chunk));
        size += chunk.byteLength;
      }
      await system(output, async () => {
        await file.chmod(mode);
        await file.sync();
      });
    } finally {
      await file.close();
    }
    await system(output, () => giveName(temporary, output));
    return size;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function giveName(temporary: string, { path, flag, overwrite }: OutputFile): Promise<void> {
  if (overwrite) await rename(temporary, path);
  else {
    await link(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw exists(path, flag);
      // Not every file system has hard links.
      if (await lstat(path).catch(() => undefined)) throw exists(path, flag);
      await rename(temporary, path);
    });
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

const exists = (path: string, flag: string): ConfigError =>
  new ConfigError(`${flag} ${path} exists already. Choose another name, or replace it with --overwrite.`, {
    code: 'file_exists',
  });

/** What a person must change; anything else is the disk's. */
const CONFIG = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG'];

async function system<T>({ path, flag }: OutputFile, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined || cause instanceof ConfigError) throw cause;
    const message = `${flag} ${path} cannot be written (${code}).`;
    if (CONFIG.includes(code)) throw new ConfigError(message, { code: 'file_unwritable', cause });
    throw new StorageError(message, { code: 'file_unwritable', cause });
  }
}
