import { lstat, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../errors.js';
import { RUNS } from './own-folders.js';

/**
 * Files are published by hard links, which no system makes from one disk to another.
 * @throws ConfigError `state_on_another_disk`
 */
export async function checkSameDisk(staging: string, root: string): Promise<void> {
  if ((await deviceOf(staging)) === (await deviceOf(root))) return;
  throw new ConfigError(
    `${staging} is on another disk than ${root}, so files cannot be published from it. Leave out --state, or choose a folder on the same disk.`,
    { code: 'state_on_another_disk' },
  );
}

/** What every root has beside its tables. */
const CONTROL = [RUNS, `${RUNS}/log`, `${RUNS}/leases`];

/**
 * All folders of a root are on one disk, and none is a link: nothing is listed through one, so files behind it would
 * never be removed, and an entry of the log there would never be seen.
 * @param tables whose folders are looked at, besides those of the log
 * @throws ConfigError `folder_on_another_disk`, `folder_is_link`
 */
export async function checkFolders(root: string, tables: readonly string[]): Promise<void> {
  const device = await deviceOf(root);
  for (const folder of [...tables, ...CONTROL]) {
    const path = join(root, folder);
    const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined; // said by who writes there
      throw error;
    });
    if (found?.isSymbolicLink()) {
      throw new ConfigError(
        `${path} is a symbolic link; the folders of a root must be real ones. Replace it by the folder it points to, or link the root itself.`,
        { code: 'folder_is_link' },
      );
    }
    if (found === undefined || found.dev === device) continue;
    throw new ConfigError(
      `${path} is on another disk than ${root}, so files cannot be published to it. Unmount it, or choose another root: all folders of a root must be on one disk.`,
      { code: 'folder_on_another_disk' },
    );
  }
}

/** Of a folder, or of where it would be made. */
async function deviceOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path;
    if (!isMissing) throw error;
    return await deviceOf(dirname(path));
  }
}
