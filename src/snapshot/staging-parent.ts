import { join, relative } from 'node:path';
import { ConfigError } from '../errors.js';
import type { Storage } from '../storage/storage.js';

interface Place {
  /** A local folder for what is not published yet. Default: `_staging` in the root, where that is a local folder. */
  state?: string | undefined;
  storage: Storage;
  /** How many roots are published to. */
  targets?: number;
}

/**
 * The folder that holds the stagings of a root.
 * @throws ConfigError `state_missing`
 */
export function stagingParent({ state, storage, targets = 1 }: Place): string {
  if (state !== undefined) return state;
  if (storage.localRoot !== undefined && targets === 1) return join(storage.localRoot, '_staging');
  throw new ConfigError(
    'Where nothing can be renamed, and with several targets, a local folder is needed: give `state`.',
    { code: 'state_missing' },
  );
}

/** A folder as it is seen from the stagings: the same however it was written, and where both were moved together. */
export const rootSeenFrom = (parent: string, { localRoot, location }: Storage): string =>
  localRoot === undefined ? location : relative(parent, localRoot);
