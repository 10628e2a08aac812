import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sweepTemporaries, temporaryKey } from '../../src/index.js';

/** The user's own folder for what is kept between runs, or while one lasts. */
export const defaultState = ({ XDG_STATE_HOME }: NodeJS.ProcessEnv): string =>
  join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'claude-compliance');

/**
 * Gives the work a folder of its own (0700: it is to hold personal data), which is gone afterwards, whatever happens;
 * what a killed load left is gone with the next one.
 */
export async function withStaging<T>(state: string, work: (staging: string) => Promise<T>): Promise<T> {
  await sweepTemporaries(state);
  const staging = join(state, temporaryKey());
  await mkdir(staging, { recursive: true, mode: 0o700 });
  try {
    return await work(staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
