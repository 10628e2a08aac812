import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalStorage, type Manifest, readLog } from '../../../src/index.js';

/** The path of the manifest that the last log entry of a root names. */
export async function lastManifest(root: string): Promise<string> {
  const entry = (await readLog(new LocalStorage(root))).at(-1)?.entry;
  return join(root, `_runs/run_date=${entry?.run_date}/${entry?.run_id}.json`);
}

/** Changes a JSON file. */
export async function changeJson<T extends object>(path: string, change: (value: T) => void): Promise<void> {
  const value = JSON.parse(await readFile(path, 'utf8')) as T;
  change(value);
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Changes the manifest that was published last, its copy and its log entry, as whoever may write to a folder could, or
 * another version of this program.
 */
export async function forgeManifest(
  root: string,
  change: (manifest: Manifest & Record<string, unknown>) => void,
): Promise<void> {
  const path = await lastManifest(root);
  await changeJson(path, change);
  const text = await readFile(path);
  await writeFile(join(path, '../manifest.json'), text);
  const seq = (await readLog(new LocalStorage(root))).length;
  await changeJson(
    join(root, `_runs/log/${String(seq).padStart(8, '0')}.json`),
    (entry: Record<string, unknown>) => {
      entry.manifest_sha256 = createHash('sha256').update(text).digest('hex');
    },
  );
}
