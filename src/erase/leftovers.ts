import type { Log, LogEntry } from '../lake/log.js';
import { manifestFiles } from '../lake/manifest.js';
import { readCurrent, readEntryManifest } from '../lake/manifest-file.js';
import { dateOf, manifestKey, runOfPart } from '../lake/paths.js';
import type { Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import type { PersonTexts } from './person-texts.js';

/** Data files that no current manifest names. */
export interface Unreferenced {
  /** The run dates of those that a run has left: settling removes them. */
  runDates: Set<string>;
  /** The keys of those that no run has written. */
  foreign: string[];
}

/**
 * Looks through the folders of all tables.
 * @param except run dates of which it is known that they are not in order
 * @throws StorageError
 */
export async function findUnreferenced(
  { storage, log }: { storage: Storage; log: Log },
  except: ReadonlySet<string>,
): Promise<Unreferenced> {
  const referenced = new Map<string, Set<string>>();
  const isReferenced = async (runDate: string, key: string): Promise<boolean> => {
    let paths = referenced.get(runDate);
    if (!paths) {
      const current = await readCurrent(storage, log, runDate);
      paths = new Set(current ? manifestFiles(current.manifest).map(({ path }) => path) : []);
      referenced.set(runDate, paths);
    }
    return paths.has(key);
  };
  const found: Unreferenced = { runDates: new Set(), foreign: [] };
  for (const { name } of streams)
    for await (const { key } of storage.list(name)) {
      const runDate = dateOf(key);
      if (runDate === undefined || runOfPart(key) === undefined) found.foreign.push(key);
      else if (!except.has(runDate) && !(await isReferenced(runDate, key))) found.runDates.add(runDate);
    }
  return found;
}

/**
 * The key of a manifest that names the person: in a message of the API, or in a setting. It is never changed.
 * @throws StorageError
 */
export async function manifestNaming(
  storage: Storage,
  entry: LogEntry,
  texts: PersonTexts,
): Promise<string | undefined> {
  const { manifest } = await readEntryManifest(storage, entry);
  const isNamed = textsOf(manifest).some((text) => texts.replace(text, '') !== text);
  return isNamed ? manifestKey(entry.run_date, entry.run_id) : undefined;
}

/** Every text of a value, at any depth. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsOf(inner)]);
}
