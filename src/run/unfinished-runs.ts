import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { parseJson } from '../lake/json-file.js';
import { covers, scope } from '../lake/manifest.js';
import { makeFolder } from '../storage/make-folder.js';
import { temporaryKey } from '../storage/temporary.js';

/** In a staged run: its journal, and the mark that a guard refused it. */
export const JOURNAL = 'journal.ndjson';
export const REFUSED = 'refused';

/** An unfinished run may be resumed for this long after it began, in milliseconds. */
const RESUMABLE_MS = 24 * 60 * 60 * 1000;

/** What a run is, written when its staged run is made, so that a later process can resume it. */
const headerSchema = z.strictObject({
  run_id: z.string(),
  run_date: z.iso.date(),
  /** Whether the run date was asked for, or is just the day on which the run began. */
  run_date_given: z.boolean(),
  started_at: z.iso.datetime(),
  /** Of everything that shapes the files, the version included; with another one it is another run. */
  fingerprint: z.string(),
  scope,
  /** Where it is to be published: who holds the leases of these, for its date, owns its staged run. */
  roots: z.array(z.string()),
});
export type RunHeader = z.infer<typeof headerSchema>;

/** A run that another process left. */
export interface UnfinishedRun extends RunHeader {
  /** Its name below the folder of the staged runs. */
  folder: string;
  /** How many processes have worked on it. */
  attempt: number;
  refused: boolean;
  /** When its journal was last added to, milliseconds since 1970. */
  touched_at: number;
}

/** The staged runs in a folder, newest first. Anything else in it is not ours. */
export async function listUnfinished(parent: string): Promise<UnfinishedRun[]> {
  const runs: UnfinishedRun[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const json = await readFile(join(parent, name, 'run.json'), 'utf8').catch(() => '');
    const header = headerSchema.safeParse(parseJson(json)).data;
    const attempt = Number(/\.(\d+)$/.exec(name)?.[1]);
    if (header && name === `${header.run_id}.${attempt}`) {
      const refused = existsSync(join(parent, name, REFUSED));
      const journal = await stat(join(parent, name, JOURNAL)).catch(() => undefined);
      const touched_at = journal?.mtimeMs ?? Date.parse(header.started_at);
      runs.push({ ...header, folder: name, attempt, refused, touched_at });
    }
  }
  return runs.sort((a, b) => b.started_at.localeCompare(a.started_at));
}

interface Search {
  /** The folder of the staged runs. */
  parent: string;
  /** What a run of now would be. */
  run: RunHeader;
  /** Whether nothing can be published at a run date any more. */
  isClosed: (runDate: string) => Promise<boolean>;
  clock: Clock;
}

/**
 * The unfinished run to resume, if there is one. Without a given date it keeps its own across midnight; one that a guard
 * refused is only resumed when its date is asked for, or is today's.
 */
export async function findUnfinished({
  parent,
  run,
  isClosed,
  clock,
}: Search): Promise<UnfinishedRun | undefined> {
  for (const unfinished of await listUnfinished(parent)) {
    if (unfinished.fingerprint !== run.fingerprint) continue;
    // Nor one of tomorrow: it began while the clock was wrong, and its date is wrong as well.
    if (Math.abs(clock.now() - Date.parse(unfinished.started_at)) >= RESUMABLE_MS) continue;
    if (unfinished.run_date === run.run_date) return unfinished;
    if (run.run_date_given || unfinished.run_date_given || unfinished.refused) continue;
    if (!(await isClosed(unfinished.run_date))) return unfinished;
  }
  return undefined;
}

/**
 * Drops the staged runs that a run makes useless: of its date, for one of its roots, and of nothing that it does not read
 * itself. Only to be called by the holder of the date's leases.
 */
export async function dropSuperseded(parent: string, run: RunHeader): Promise<void> {
  for (const unfinished of await listUnfinished(parent)) {
    const isSuperseded =
      unfinished.run_date === run.run_date &&
      unfinished.roots.some((root) => run.roots.includes(root)) &&
      covers(run.scope, unfinished.scope);
    if (isSuperseded) await dropStagedRun(parent, unfinished.folder);
  }
}

/** Drops the staged runs of a date for a root, whatever they read. Only to be called by the holder of the date's lease. */
export async function dropUnfinished(
  parent: string,
  { run_date, root }: { run_date: string; root: string },
): Promise<void> {
  for (const unfinished of await listUnfinished(parent))
    if (unfinished.run_date === run_date && unfinished.roots.includes(root))
      await dropStagedRun(parent, unfinished.folder);
}

/** Drops the staged runs that nobody can resume any more: personal data is not kept without need. */
export async function dropExpired(parent: string, clock: Clock): Promise<void> {
  const isOld = (at: number): boolean => clock.now() - at > RESUMABLE_MS;
  for (const { started_at, touched_at, folder } of await listUnfinished(parent)) {
    // A run that is still working after a day adds to its journal.
    if (!isOld(Date.parse(started_at)) || !isOld(touched_at)) continue;
    await dropStagedRun(parent, folder).catch(() => {}); // another run may be doing the same; the next one tries again
  }
}

/** Renamed and then removed, so that there is never a staged run without its header. */
async function dropStagedRun(parent: string, folder: string): Promise<void> {
  const doomed = join(parent, temporaryKey());
  await makeFolder(dirname(doomed), 0o700);
  await rename(join(parent, folder), doomed);
  await rm(doomed, { recursive: true, force: true });
}
