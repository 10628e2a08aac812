import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../storage/make-folder.js';
import { temporaryKey } from '../storage/temporary.js';
import { parseJson } from './json-file.js';
import { scope } from './manifest.js';

/** In a staging: its journal, and the mark that a guard refused it. */
export const JOURNAL = 'journal.ndjson';
export const REFUSED = 'refused';

/** What a run is, written when its staging is made, so that a later process can go on with it. */
const headerSchema = z.object({
  run_id: z.string(),
  run_date: z.iso.date(),
  /** Whether the run date was asked for, or is just the day on which the run began. */
  run_date_given: z.boolean(),
  started_at: z.iso.datetime(),
  /** Of everything that shapes the files; with another one it is another run. */
  fingerprint: z.string(),
  scope,
  /** It reads no API: it lays out anew what was published. */
  is_compaction: z.boolean().default(false),
  /** Where it is to be published: who holds the locks of these, for its date, owns its staging. */
  roots: z.array(z.string()),
});
export type RunHeader = z.infer<typeof headerSchema>;

/** A run that another process left. */
export interface LeftRun extends RunHeader {
  /** Its name below the parent. */
  folder: string;
  /** How many processes have worked on it. */
  attempt: number;
  refused: boolean;
  /** When its journal was last added to, milliseconds since 1970. */
  touched_at: number;
}

/** The stagings that lie in a folder, newest first. */
export async function listStagings(parent: string): Promise<LeftRun[]> {
  const headers: LeftRun[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const json = await readFile(join(parent, name, 'run.json'), 'utf8').catch(() => '');
    const header = headerSchema.safeParse(parseJson(json)).data;
    const attempt = Number(/\.(\d+)$/.exec(name)?.[1]);
    if (header && name === `${header.run_id}.${attempt}`) {
      const refused = existsSync(join(parent, name, REFUSED));
      const journal = await stat(join(parent, name, JOURNAL)).catch(() => undefined);
      const touched_at = journal?.mtimeMs ?? Date.parse(header.started_at);
      headers.push({ ...header, folder: name, attempt, refused, touched_at });
    }
  }
  return headers.sort((a, b) => b.started_at.localeCompare(a.started_at));
}

/** Renamed aside and removed, so that there is never a staging without its header. */
export async function dropStaging(parent: string, folder: string): Promise<void> {
  const doomed = join(parent, temporaryKey());
  await makeFolder(dirname(doomed), 0o700);
  await rename(join(parent, folder), doomed);
  await rm(doomed, { recursive: true, force: true });
}
