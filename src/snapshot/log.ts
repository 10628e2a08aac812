import { z } from 'zod';
import { forEachConcurrently } from '../concurrency.js';
import type { Storage } from '../storage/storage.js';
import { jsonBytes, parseJson, readText, sha256Of } from './json-file.js';

const FOLDER = '_runs/log';

const logEntry = z.object({
  seq: z.int().min(1),
  at: z.iso.datetime(),
  action: z.enum(['publish', 'compact', 'prune']),
  run_id: z.string(),
  run_date: z.iso.date(),
  status: z.enum(['complete', 'incomplete', 'pruned']),
  manifest_sha256: z.string(),
  /** SHA-256 of the file before; null for the first. */
  previous_sha256: z.string().nullable(),
});
export type LogEntry = z.infer<typeof logEntry>;

const logKey = (seq: number): string => `${FOLDER}/${String(seq).padStart(8, '0')}.json`;

/**
 * Appends one entry to the log of a root, which is only ever added to. Publishing again what one of the last
 * entries tells of (a run that was killed just after it) adds nothing.
 */
export async function appendLog(
  storage: Storage,
  entry: Omit<LogEntry, 'seq' | 'previous_sha256'>,
): Promise<void> {
  while (true) {
    const recent = await readEntries(storage, (await logKeys(storage)).slice(-RECENT));
    if (
      recent.some(
        ({ entry: old }) => old?.run_id === entry.run_id && old.manifest_sha256 === entry.manifest_sha256,
      )
    )
      return;
    const last = recent.at(-1);
    const seq = (last?.seq ?? 0) + 1;
    const next: LogEntry = { seq, ...entry, previous_sha256: last?.sha256 ?? null };
    if (await storage.create(logKey(seq), jsonBytes(next))) return; // otherwise a run of another date came first
  }
}

/** How many entries are looked through for one that tells of the same publication. */
const RECENT = 16;

export interface Log {
  entries: LogEntry[];
  /** The sequence numbers at which the chain is broken: an entry is missing, unreadable or was changed. */
  broken: number[];
}

/** Reads the whole log and checks its chain. */
export async function readLog(storage: Storage): Promise<Log> {
  const log: Log = { entries: [], broken: [] };
  let previous: string | null = null;
  for (const [index, { seq, entry, sha256 }] of (
    await readEntries(storage, await logKeys(storage))
  ).entries()) {
    if (seq !== index + 1 || entry?.seq !== seq || entry.previous_sha256 !== previous)
      log.broken.push(index + 1);
    if (entry) log.entries.push(entry);
    previous = sha256;
  }
  return log;
}

/** Whether the manifest of a run date is the one that the log told of last. */
export const isLogged = ({ entries }: Log, runDate: string, manifestSha256: string): boolean =>
  entries.findLast(({ run_date }) => run_date === runDate)?.manifest_sha256 === manifestSha256;

async function logKeys(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(FOLDER)) if (key.endsWith('.json')) keys.push(key);
  return keys.sort();
}

async function readEntries(storage: Storage, keys: readonly string[]) {
  const entries: { seq: number; entry: LogEntry | undefined; sha256: string }[] = new Array(keys.length);
  await forEachConcurrently([...keys.entries()], { limit: READ_AT_ONCE }, async ([index, key]) => {
    const text = (await readText(storage, key)) ?? '';
    const seq = Number(/(\d+)\.json$/.exec(key)?.[1]);
    entries[index] = { seq, entry: parse(text), sha256: sha256Of(text) };
  });
  return entries;
}

/** Entries are small, and there are years of them. */
const READ_AT_ONCE = 16;

const parse = (text: string): LogEntry | undefined => logEntry.safeParse(parseJson(text)).data;
