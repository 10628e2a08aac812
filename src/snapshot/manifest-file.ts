import { StorageError } from '../errors.js';
import { once, type Storage, type Written } from '../storage/storage.js';
import { jsonBytes, readText, sha256Of } from './json-file.js';
import { isFull, type Manifest, manifestSchema } from './manifest.js';
import { manifestKey } from './partition.js';

/**
 * The manifest of a run date; undefined when there is none.
 * @throws StorageError `manifest_invalid`
 */
export async function readManifest(storage: Storage, runDate: string): Promise<Manifest | undefined> {
  const text = await readText(storage, manifestKey(runDate));
  return text === undefined ? undefined : parseManifest(text, `${storage.location}/${manifestKey(runDate)}`);
}

/** Of the manifest of a run date, as the log names it. */
export async function manifestSha256(storage: Storage, runDate: string): Promise<string> {
  return sha256Of((await readText(storage, manifestKey(runDate))) ?? '');
}

function parseManifest(text: string, where: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StorageError(
      `${where} is not a manifest that this version can read. Was it written by a newer one, or changed by hand?`,
      { code: 'manifest_invalid', cause },
    );
  }
}

export async function writeManifest(storage: Storage, manifest: Manifest): Promise<Written> {
  return await storage.write(manifestKey(manifest.run_date), once(jsonBytes(manifest, 2)));
}

/** The run dates that have a manifest, newest first. */
export async function listRunDates(storage: Storage): Promise<string[]> {
  const dates: string[] = [];
  for await (const { key } of storage.list('_runs')) {
    const date = /^_runs\/run_date=(\d{4}-\d{2}-\d{2})\/manifest\.json$/.exec(key)?.[1];
    if (date !== undefined) dates.push(date);
  }
  return dates.sort().reverse();
}

/** The newest snapshot that is complete and full, of the dates that `accept` lets through. */
export async function newestSnapshot(
  storage: Storage,
  accept: (runDate: string) => boolean = () => true,
): Promise<Manifest | undefined> {
  for (const runDate of (await listRunDates(storage)).filter(accept)) {
    const manifest = await readManifest(storage, runDate);
    if (manifest?.status === 'complete' && isFull(manifest.scope)) return manifest;
  }
  return undefined;
}
