import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from './local-list.js';
import type { LocalRoot } from './local-root.js';
import { RUNS, STAGING } from './own-folders.js';
import type { Irregularity } from './storage.js';

const PARTITION = 'run_date=';

/** See `Storage.audit`. */
export async function* auditRoot(root: LocalRoot): AsyncGenerator<Irregularity> {
  const found = await unlessMissing(stat(root.path));
  if (!found) return;
  yield* modeProblem('', found, root);
  for (const name of await readdir(root.path)) {
    if (name !== STAGING && (await isOurs(join(root.path, name), name))) yield* audit(name, root);
  }
}

/** A link to a folder counts as that folder here: it is reported, and not followed further. */
async function isOurs(path: string, name: string): Promise<boolean> {
  if (name === RUNS) return true;
  const children = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(error.code ?? '')) return [];
    throw error;
  });
  return children.some((child) => child.startsWith(PARTITION));
}

async function* audit(key: string, root: LocalRoot): AsyncGenerator<Irregularity> {
  const path = join(root.path, key);
  const found = await unlessMissing(lstat(path));
  if (!found) return;
  if (found.isSymbolicLink()) {
    yield { key, problem: 'link', detail: 'is a symbolic link' };
    return;
  }
  yield* modeProblem(key, found, root);
  if (!found.isDirectory()) return;
  for (const name of (await unlessMissing(readdir(path))) ?? []) yield* audit(`${key}/${name}`, root);
}

/** The set-ID and sticky bits of a folder let nobody in. */
function* modeProblem(key: string, found: Stats, root: LocalRoot): Generator<Irregularity> {
  if (process.platform === 'win32') return; // it has no such modes
  const [mode, allowed] = found.isDirectory()
    ? [found.mode & 0o777, root.folderMode]
    : [found.mode & 0o7777, root.fileMode];
  if ((mode & ~allowed) === 0) return;
  yield { key, problem: 'mode', detail: `has mode ${octal(mode)}, more than ${octal(allowed)}` };
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
