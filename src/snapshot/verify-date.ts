import { createHash } from 'node:crypto';
import { StorageError } from '../errors.js';
import { streams } from '../extract/index.js';
import { inspectFile } from '../sinks/index.js';
import type { FileContent } from '../sinks/inspect.js';
import type { Storage } from '../storage/storage.js';
import type { LogEntry } from './log.js';
import { type FileEntry, type Manifest, manifestFiles } from './manifest.js';
import { manifestSha256, readManifest } from './manifest-file.js';
import { dateFolder, manifestKey } from './partition.js';
import { wrongTotals } from './totals.js';

/** One thing that is not as the manifest or the log says. */
export interface Finding {
  /** Undefined for the log as a whole. */
  runDate?: string;
  /** Relative to the root. */
  path: string;
  problem:
    | 'missing'
    | 'extra'
    | 'size'
    | 'sha256'
    | 'rows'
    | 'schema'
    | 'unreadable'
    | 'totals'
    | 'status'
    | 'log';
  /** What was expected and what was found. */
  detail: string;
}

/** What one look at a run date found. */
export interface Look {
  runDates: { runDate: string; runId: string; status: Manifest['status']; files: number; rows: number }[];
  /** Empty: all is as it was published. */
  findings: Finding[];
}

const SCHEMAS = new Map(streams.map(({ schema }) => [schema.name, schema]));

/** Compares the files of one run date with its manifest, and that with itself and with the log. @throws StorageError */
export async function verifyDate(storage: Storage, runDate: string, log: readonly LogEntry[]): Promise<Look> {
  const look: Look = { runDates: [], findings: [] };
  const note = (path: string, problem: Finding['problem'], detail: string): void => {
    look.findings.push({ runDate, path, problem, detail });
  };
  const manifest = await readManifestOr(storage, runDate, (detail) =>
    note(manifestKey(runDate), 'unreadable', detail),
  );
  if (!manifest) return look;
  const files = manifest.status === 'pruned' ? [] : manifestFiles(manifest);
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  look.runDates.push({ runDate, runId: manifest.run_id, status: manifest.status, files: files.length, rows });
  if (manifest.status === 'publishing') {
    note(
      manifestKey(runDate),
      'status',
      `a run is putting its files in place, or was cut short: then run ${manifest.compaction ? 'compact' : 'dump'} again, it goes on`,
    );
    return look;
  }
  const logged = log.filter((entry) => entry.run_date === runDate).map((entry) => entry.manifest_sha256);
  if (logged.at(-1) !== (await manifestSha256(storage, runDate))) {
    note(manifestKey(runDate), 'log', 'is not the manifest that the log says was published last');
  }
  if (!originsOf(manifest).every((sha256) => logged.includes(sha256))) {
    note(manifestKey(runDate), 'log', 'was made of a manifest that the log does not know');
  }
  for (const detail of wrongTotals(manifest)) note(manifestKey(runDate), 'totals', detail);
  await compareNames(storage, manifest, files, note);
  for (const file of files) {
    const found = await inspect(storage, manifest, file);
    if (found === undefined) continue; // told as missing
    if (found.bytes !== file.bytes)
      note(file.path, 'size', `${file.bytes} bytes were published, ${found.bytes} lie there`);
    else if (found.sha256 !== file.sha256)
      note(file.path, 'sha256', 'its bytes are not those that were published');
    if (found.content === undefined) note(file.path, 'unreadable', `it cannot be read as ${manifest.format}`);
    else {
      if (found.content.rows !== file.rows)
        note(file.path, 'rows', `${file.rows} rows were published, ${found.content.rows} lie there`);
      const expected = SCHEMAS.get(file.table)
        ?.fields.map(({ name }) => name)
        .join(', ');
      const columns = found.content.columns?.join(', ');
      if (columns !== undefined && columns !== expected)
        note(file.path, 'schema', `its columns are ${columns}`);
    }
  }
  return look;
}

/** The manifests, by their SHA-256, that a compaction and a pruning found. */
const originsOf = ({ compaction, pruned }: Manifest): string[] => [
  ...(compaction ? [compaction.manifest_sha256] : []),
  ...(pruned && pruned.status !== 'publishing' ? [pruned.manifest_sha256] : []),
];

async function readManifestOr(
  storage: Storage,
  runDate: string,
  tell: (detail: string) => void,
): Promise<Manifest | undefined> {
  try {
    return await readManifest(storage, runDate);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'manifest_invalid') throw error;
    tell('it is not a manifest that this version can read');
    return undefined;
  }
}

async function compareNames(
  storage: Storage,
  manifest: Manifest,
  files: readonly FileEntry[],
  note: (path: string, problem: Finding['problem'], detail: string) => void,
): Promise<void> {
  const listed = new Set(files.map(({ path }) => path));
  const found = new Set<string>();
  for (const table of SCHEMAS.keys()) {
    for await (const { key } of storage.list(dateFolder(table, manifest.run_date))) found.add(key);
  }
  for (const path of listed)
    if (!found.has(path)) note(path, 'missing', 'the manifest lists it, and it is not there');
  const extra =
    manifest.status === 'pruned'
      ? 'it still lies there, and the snapshot was pruned: run prune again'
      : 'it lies there, and the manifest does not list it';
  for (const path of found) if (!listed.has(path)) note(path, 'extra', extra);
}

interface Inspection {
  bytes: number;
  sha256: string;
  /** Undefined when the format's own reader cannot read it. */
  content: FileContent | undefined;
}

/** One pass over a file; undefined when it is missing. */
async function inspect(
  storage: Storage,
  { format }: Manifest,
  { path }: { path: string },
): Promise<Inspection | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of storage.read(path)) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  try {
    const content = await inspectFile(format, path, counted());
    return { bytes, sha256: hash.digest('hex'), content };
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not_found') return undefined;
    throw error;
  }
}
