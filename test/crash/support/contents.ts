import { createHash } from 'node:crypto';
import type { Storage } from '../../../src/index.js';

/** Everything that a root holds, by its key: what a reader sees that knows nothing of this project's code. */
export type Contents = ReadonlyMap<string, Buffer>;

export async function contentsOf(storage: Storage): Promise<Contents> {
  const contents = new Map<string, Buffer>();
  for await (const { key } of storage.list('')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.read(key)) chunks.push(chunk);
    contents.set(key, Buffer.concat(chunks));
  }
  return contents;
}

export const sha256Of = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** An entry of the log, as its file holds it. */
export interface Entry {
  key: string;
  text: string;
  seq: number;
  previous_sha256: string | null;
  action: string;
  run_date: string;
  run_id: string;
  manifest_sha256: string | null;
  replaces: string | null;
}

/** The log, in order. */
export const entriesOf = (contents: Contents): Entry[] =>
  [...contents.keys()]
    .filter((key) => key.startsWith('_runs/log/'))
    .sort()
    .map((key) => {
      const text = String(contents.get(key));
      return { ...JSON.parse(text), key, text };
    });

/** An entry that names a manifest. */
export const isCommit = (entry: Entry): boolean => entry.manifest_sha256 !== null;

export const manifestKeyOf = ({ run_date, run_id }: Pick<Entry, 'run_date' | 'run_id'>): string =>
  `_runs/run_date=${run_date}/${run_id}.json`;

export const copyKeyOf = (runDate: string): string => `_runs/run_date=${runDate}/manifest.json`;

export const leaseKeyOf = (runDate: string): string => `_runs/leases/${runDate}.json`;

/** The entry that names the current manifest of each run date. */
export function currentEntries(contents: Contents): Map<string, Entry> {
  const current = new Map<string, Entry>();
  for (const entry of entriesOf(contents)) if (isCommit(entry)) current.set(entry.run_date, entry);
  return current;
}

/** A file as a manifest names it. */
export interface NamedFile {
  table: string;
  path: string;
  rows: number;
  bytes: number;
  sha256: string;
}

interface ManifestTable {
  files: NamedFile[];
  slices: { files: NamedFile[] }[];
}

/** What these tests read of a manifest. */
export interface ReadManifest {
  status: string;
  replaces: { run_id: string; manifest_sha256: string } | null;
  tables: Record<string, ManifestTable>;
}

/** A manifest; undefined when it is absent. */
export function manifestAt(contents: Contents, key: string): ReadManifest | undefined {
  const bytes = contents.get(key);
  return bytes && JSON.parse(String(bytes));
}

export const filesOf = ({ tables }: ReadManifest): NamedFile[] =>
  Object.entries(tables).flatMap(([table, { files, slices }]) =>
    [...files, ...slices.flatMap((slice) => slice.files)].map((file) => ({ ...file, table })),
  );

/** What is wrong with the files that a manifest names, as sentences. */
export const wrongFiles = (contents: Contents, manifest: ReadManifest): string[] =>
  filesOf(manifest).flatMap(({ path, bytes, sha256 }) => {
    const found = contents.get(path);
    if (!found) return [`${path} is missing`];
    return found.byteLength === bytes && sha256Of(found) === sha256 ? [] : [`${path} has other bytes`];
  });

/** A data file of ours. */
export interface Part {
  key: string;
  table: string;
  runDate: string;
  runId: string;
}

const RUN_ID = String.raw`\d{8}T\d{6}Z-[0-9a-f]{8}`;
const PART = new RegExp(
  `^([a-z_]+)/run_date=(\\d{4}-\\d\\d-\\d\\d)/(?:[a-z_]+=[^/]+/)*part-\\d{5,}-(${RUN_ID})\\.[a-z.]+$`,
);
const MANIFEST = new RegExp(`^_runs/run_date=(\\d{4}-\\d\\d-\\d\\d)/(${RUN_ID})\\.json$`);

export function parsePart(key: string): Part | undefined {
  const [, table = '', runDate = '', runId = ''] = PART.exec(key) ?? [];
  return runId === '' ? undefined : { key, table, runDate, runId };
}

export function parseManifestKey(key: string): { runDate: string; runId: string } | undefined {
  const [, runDate = '', runId = ''] = MANIFEST.exec(key) ?? [];
  return runId === '' ? undefined : { runDate, runId };
}
