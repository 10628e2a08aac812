import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKnownDead, thisProcess } from '../process-identity.js';

const FOLDER = 'tmp';
const DAY = 24 * 60 * 60 * 1000;

/** A new name for something half-made, below a staging folder; it tells whose it is. */
export const temporaryKey = (): string => `${FOLDER}/${thisProcess.pid}.${thisProcess.space}.${randomUUID()}`;

/** Removes what ended processes left half-made; what may be another machine's only when it is a day old. */
export async function sweepTemporaries(staging: string): Promise<void> {
  const folder = join(staging, FOLDER);
  for (const name of await readdir(folder).catch(() => [])) {
    const [pid, space = ''] = name.split('.');
    const path = join(folder, name);
    const age = async () => Date.now() - (await stat(path)).mtimeMs;
    if (isKnownDead({ pid: Number(pid), space }) || (await age().catch(() => 0)) > DAY) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
