import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkedBytes, drain } from './listed-file.js';
import { type FileEntry, type Manifest, manifestFiles } from './manifest.js';
import type { Staging } from './staging.js';

/**
 * What another process has staged is what its journal tells, or else it is not published.
 * @throws StorageError `file_differs`, `not_found`
 */
export async function checkStaged(
  staging: Staging,
  manifest: Manifest,
  tables: readonly string[],
): Promise<void> {
  if (!staging.isTakenOver) return;
  for (const file of manifestFiles(manifest).filter(({ table }) => tables.includes(table))) {
    const key = stagedKey(manifest, file);
    await drain(checkedBytes(staging.files.read(key), file, join(staging.folder, key)));
  }
}

/** Where the files of one table lie in a staging: those of all formats do, side by side. */
export const stagedFolder = ({ format }: { format: string }, table: string): string => `${format}/${table}`;

/** Where a file lies in its staging that a manifest lists by its final path. */
export const stagedKey = ({ format, run_date }: Manifest, { path }: FileEntry): string =>
  `${format}/${path.replace(`/run_date=${run_date}/`, '/')}`;

/** Leaves just the listed files below a folder of a staging: what a failed walk left half-written must not be published. */
export async function dropUnlisted(
  staging: Staging,
  folder: string,
  files: readonly string[],
): Promise<void> {
  const listed = new Set(files.map((file) => `${folder}/${file}`));
  for await (const { key } of staging.files.list(folder)) {
    if (listed.has(key)) continue;
    await staging.files.remove(key);
    await rmdir(dirname(join(staging.folder, key))).catch(() => undefined); // only when that was its last file
  }
}
