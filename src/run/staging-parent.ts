import { join, relative } from 'node:path';
import { ConfigError } from '../errors.js';
import { STAGING } from '../storage/own-folders.js';
import type { Storage } from '../storage/storage.js';

interface Place {
  /** A local folder for what is not published yet. Default: the root, where that is a local folder. */
  state?: string | undefined;
  storage: Storage;
  /** How many roots are published to. */
  targets?: number;
}

/**
 * The folder that holds the staged runs of a root.
 * @throws ConfigError `state_missing`
 */
export function stagingParent({ state, storage, targets = 1 }: Place): string {
  if (state !== undefined) return join(state, STAGING);
  if (storage.localRoot !== undefined && targets === 1) return join(storage.localRoot, STAGING);
  throw new ConfigError(
    'A bucket, and several targets, need a local folder for what is not published yet: give `state`.',
    { code: 'state_missing' },
  );
}

/** A folder as seen from the staged runs: the same however it was written, and where both were moved together. */
export const rootSeenFrom = (parent: string, { localRoot, location }: Storage): string =>
  localRoot === undefined ? location : relative(parent, localRoot);
