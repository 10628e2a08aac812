import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In memory where the system has such a folder: these tests make thousands of small files, and no power is cut. */
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface States extends AsyncDisposable {
  folder: string;
  /** A folder that no other process has: it is made by whoever uses it. */
  fresh(): string;
  copyOf(state: string): Promise<string>;
}

/** A folder for the staged runs of processes; it is gone when the test ends. */
export async function temporaryState(): Promise<States> {
  const folder = await mkdtemp(join(parent, 'compliance-'));
  const fresh = (): string => join(folder, randomUUID());
  return {
    folder,
    fresh,
    async copyOf(state) {
      const copy = fresh();
      if (existsSync(state)) await cp(state, copy, { recursive: true });
      return copy;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
