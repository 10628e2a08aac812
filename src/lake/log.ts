import { z } from 'zod';
import { forEachConcurrently } from '../concurrency.js';
import { StorageError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { jsonBytes, parseJson, readText, sha256Of } from './json-file.js';
import { actions } from './manifest.js';
import { LOG, logKey, seqOf } from './paths.js';

const logEntry = z.strictObject({
  seq: z.int().min(1),
  /** SHA-256 of the entry before; null for the first. */
  previous_sha256: z.string().nullable(),
  at: z.iso.datetime(),
  action: z.enum([...actions, 'abandon']),
  run_date: z.iso.date(),
  /** Of what wrote the entry. */
  run_id: z.string(),
  /** Of the manifest that is current from now on; null for `abandon`, which changes none. */
  manifest_sha256: z.string().nullable(),
  /** The run that was current before; of `abandon` the run that can never be published any more. */
  replaces: z.string().nullable(),
});
export type LogEntry = z.infer<typeof logEntry>;

/** An entry as it is stored; `entry` is undefined when it cannot be read. */
export interface StoredEntry {
  readonly seq: number;
  readonly sha256: string;
  readonly entry: LogEntry | undefined;
}

/** The log of a root, in order. It is only ever added to, and an entry is never changed. */
export type Log = readonly StoredEntry[];

/** Entries are small, and there are years of them. */
const READS_AT_ONCE = 16;

/** Reads the log; of a log that was read before, only what was added since. */
export async function readLog(storage: Storage, known: Log = []): Promise<Log> {
  const added = (await listSeqs(storage)).slice(known.length);
  const entries: StoredEntry[] = new Array(added.length);
  await forEachConcurrently([...added.entries()], { limit: READS_AT_ONCE }, async ([index, seq]) => {
    const text = (await readText(storage, logKey(seq))) ?? '';
    entries[index] = {
      seq,
      entry: logEntry.safeParse(parseJson(text)).data,
      sha256: sha256Of(text),
    };
  });
  return [...known, ...entries];
}

/** A folder that is added to while it is listed may show an entry and not the one before: then it is listed again. */
async function listSeqs(storage: Storage, attempts = 3): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { key } of storage.list(LOG)) seqs.push(seqOf(key) ?? 0);
  const sorted = seqs.filter((seq) => seq > 0).sort((a, b) => a - b);
  const isGapless = (sorted.at(-1) ?? 0) === sorted.length;
  return isGapless || attempts === 1 ? sorted : await listSeqs(storage, attempts - 1);
}

/** The places at which the chain is broken: an entry is missing, cannot be read or was changed. */
export function brokenEntries(log: Log): number[] {
  return log.flatMap(({ seq, entry }, index) => {
    const previous = log[index - 1]?.sha256 ?? null;
    const holds = seq === index + 1 && entry?.seq === seq && entry.previous_sha256 === previous;
    return holds ? [] : [index + 1];
  });
}

/**
 * Nothing may be published or removed by a log that is damaged: what it no longer names would look like nobody's.
 * @throws StorageError `log_damaged`
 */
export function checkLog(log: Log, { location }: Pick<Storage, 'location'>): void {
  const [first] = brokenEntries(log);
  if (first !== undefined) throw logDamaged({ location }, first);
}

export const logDamaged = ({ location }: Pick<Storage, 'location'>, seq: number): StorageError =>
  new StorageError(
    `The log of ${location} is damaged at entry ${seq}: an entry is missing or was changed. Nothing was done. Restore _runs/log from a backup, or choose another folder; claude-compliance-connector verify shows what is affected.`,
    { code: 'log_damaged' },
  );

/** The last entry about a run date, whatever it says: what a commit expects to be unchanged. */
export const headOf = (log: Log, runDate: string): LogEntry | undefined =>
  log.findLast(({ entry }) => entry?.run_date === runDate)?.entry;

/** The entry that names the current manifest of a run date. */
export const currentOf = (log: Log, runDate: string): LogEntry | undefined =>
  log.findLast(({ entry }) => entry?.run_date === runDate && entry.manifest_sha256 !== null)?.entry;

/** Whether a log entry says that a run can never be published at a run date. */
export const isAbandoned = (log: Log, runDate: string, runId: string): boolean =>
  log.some(
    ({ entry }) => entry?.action === 'abandon' && entry.replaces === runId && entry.run_date === runDate,
  );

/** The run dates that the log knows a manifest of, newest first. */
export const runDatesOf = (log: Log): string[] =>
  [...new Set(log.flatMap(({ entry }) => (entry?.manifest_sha256 ? [entry.run_date] : [])))].sort().reverse();

/**
 * Adds one entry after the last one of `log`.
 * @returns false, and nothing changed, when another run has added one meanwhile
 */
export async function appendEntry(
  storage: Storage,
  log: Log,
  entry: Omit<LogEntry, 'seq' | 'previous_sha256'>,
): Promise<boolean> {
  const last = log.at(-1);
  const seq = (last?.seq ?? 0) + 1;
  const next: LogEntry = { seq, previous_sha256: last?.sha256 ?? null, ...entry };
  return await storage.create(logKey(seq), jsonBytes(next));
}
