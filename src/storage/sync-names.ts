import { open } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { forEachConcurrently } from '../concurrency.js';

const FOLDERS_AT_ONCE = 16;

/** New names below a root. */
export interface NewNames {
  /** Of files, absolute. */
  paths: readonly string[];
  /** Absolute. */
  root: string;
  /** Folders that were made for them, absolute; the root and folders above it may be among them. */
  made: readonly string[];
}

/**
 * Makes new names durable: syncs the folder of each and all folders above it up to the root, the deepest first, each
 * once. Folders that existed are synced too: another process may have made them a moment ago, and not synced yet.
 */
export async function syncNames(names: NewNames): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const byDepth = new Map<number, string[]>();
  for (const folder of foldersOf(names)) {
    const depth = folder.split(sep).length;
    const level = byDepth.get(depth);
    if (level) level.push(folder);
    else byDepth.set(depth, [folder]);
  }
  for (const [, folders] of [...byDepth].sort(([a], [b]) => b - a)) {
    await forEachConcurrently(folders, { limit: FOLDERS_AT_ONCE }, syncFolder);
  }
}

function foldersOf({ paths, root, made }: NewNames): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) {
      folders.add(folder);
      if (folder === root) break;
    }
  }
  for (const folder of made) if (!folder.startsWith(root + sep)) folders.add(dirname(folder));
  return folders;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
