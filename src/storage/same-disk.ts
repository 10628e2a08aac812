import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.js';

/**
 * A local folder is published by renaming, which no system does from one disk to another.
 * @throws ConfigError `state_on_another_disk`
 */
export async function checkSameDisk(staging: string, root: string): Promise<void> {
  if ((await deviceOf(staging)) === (await deviceOf(root))) return;
  throw new ConfigError(
    `${staging} lies on another disk than ${root}, into which it would be renamed. Leave out --state, or choose a folder on the same disk.`,
    { code: 'state_on_another_disk' },
  );
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
