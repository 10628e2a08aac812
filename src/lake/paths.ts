import { randomUUID } from 'node:crypto';
import { RUNS } from '../storage/own-folders.js';

/** The folder of one table and run date, below the root. */
export const dateFolder = (table: string, runDate: string): string => `${table}/run_date=${runDate}`;

/** The run date of a data file. */
export const dateOf = (key: string): string | undefined =>
  /^[^/]+\/run_date=(\d{4}-\d{2}-\d{2})\//.exec(key)?.[1];

/** The name of a part without the run that publishes it: `part-00000.parquet`. */
export const partName = (index: number, extension: string): string =>
  `part-${String(index).padStart(5, '0')}.${extension}`;

/** The name under which a run publishes a part: used once, by nobody else. */
export const publishedKey = (key: string, runId: string): string =>
  key.replace(/\/([^/.]+)(\.[^/]*)$/, `/$1-${runId}$2`);

const RUN_ID = String.raw`\d{8}T\d{6}Z-[0-9a-f]{8}`;
const PUBLISHED_PART = new RegExp(`/part-\\d{5,}-(${RUN_ID})\\.[^/]+$`);
const PART_PATH = new RegExp(`^(?:[a-z_]+=[\\w-]{1,128}/)*part-\\d{5,}-${RUN_ID}\\.[a-z0-9.]+$`);
const MANIFEST = new RegExp(`^${RUNS}/run_date=(\\d{4}-\\d{2}-\\d{2})/(${RUN_ID})\\.json$`);

/** The name under which another run publishes a part in place of one. */
export const republishedKey = (key: string, runId: string): string =>
  key.replace(new RegExp(`-${RUN_ID}(\\.[^/]*)$`), `-${runId}$1`);

/** Whether a key is one that a run gives to a part of this table and run date, and safe in a path and in a pattern. */
export function isPartOf(table: string, runDate: string, key: string): boolean {
  const folder = `${dateFolder(table, runDate)}/`;
  return key.startsWith(folder) && PART_PATH.test(key.slice(folder.length));
}

/** The run that a data file was published by; undefined for a name that none of ours has. */
export const runOfPart = (key: string): string | undefined => PUBLISHED_PART.exec(key)?.[1];

/** A new run id, which sorts by time: `20261123T010203Z-1f08da1e`. */
export const newRunId = (now: number): string =>
  `${new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')}-${randomUUID().slice(0, 8)}`;

/** The folder of the control files of one run date: beside the tables, never among their data files. */
export const runFolder = (runDate: string): string => `${RUNS}/run_date=${runDate}`;

/** A manifest, immutable: one for each run that was published. */
export const manifestKey = (runDate: string, runId: string): string => `${runFolder(runDate)}/${runId}.json`;

/** The run date and the run of a manifest; undefined for any other key. */
export function parseManifestKey(key: string): { runDate: string; runId: string } | undefined {
  const [, runDate, runId] = MANIFEST.exec(key) ?? [];
  return runDate !== undefined && runId !== undefined ? { runDate, runId } : undefined;
}

/** A copy of the current manifest of a run date, for people and simple readers. */
export const currentManifestKey = (runDate: string): string => `${runFolder(runDate)}/manifest.json`;

export const LEASES = `${RUNS}/leases`;
export const leaseKey = (runDate: string): string => `${LEASES}/${runDate}.json`;

export const LOG = `${RUNS}/log`;
export const logKey = (seq: number): string => `${LOG}/${String(seq).padStart(8, '0')}.json`;

/** The number of a log entry; undefined for any other key. */
export function seqOf(key: string): number | undefined {
  const seq = Number(/(\d{8,})\.json$/.exec(key)?.[1]);
  return key === logKey(seq) ? seq : undefined;
}
