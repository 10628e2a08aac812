import { createHash } from 'node:crypto';
import { StorageError } from '../errors.js';
import { readText } from '../lake/json-file.js';
import { currentOf, type Log, type LogEntry, readLog } from '../lake/log.js';
import { type Erasure, isBackDated, type Manifest, manifestFiles, type TableFile } from '../lake/manifest.js';
import { readEntryManifest, type StoredManifest } from '../lake/manifest-file.js';
import { currentManifestKey, dateFolder, manifestKey, runOfPart } from '../lake/paths.js';
import { tablesOf } from '../lake/settle.js';
import { inspectFile } from '../sinks/index.js';
import type { FileContent } from '../sinks/inspect.js';
import type { Storage } from '../storage/storage.js';
import type { Finding } from './finding.js';
import { wrongTotals } from './totals.js';

/** A run date that was verified. */
export interface DateReport {
  runDate: string;
  runId: string;
  status: Manifest['status'];
  /** When its run began. */
  startedAt: string;
  /** Whether that was on another day than the run date. */
  isBackDated: boolean;
  files: number;
  rows: number;
  /** Those that were erased from it. */
  erasures: readonly Erasure[];
}

export interface DateVerification {
  /** Undefined when its manifest cannot be read. */
  report: DateReport | undefined;
  findings: Finding[];
}

/** A run that publishes while the files are read changes them; then they are read again, at most so often. */
const MAX_ATTEMPTS = 4;

interface DateRequest {
  storage: Storage;
  runDate: string;
  log: Log;
  /** Whether the files are read; their names are compared in any case. */
  readsFiles: boolean;
}

/** Compares the files of one run date with its manifest, and that with itself and with the log. @throws StorageError */
export async function verifyDate(request: DateRequest): Promise<DateVerification> {
  const { storage, runDate } = request;
  let { log } = request;
  for (let attempt = 1; ; attempt += 1) {
    const verification = await verifyOnce({ ...request, log });
    const later = await readLog(storage, log);
    if (attempt === MAX_ATTEMPTS || currentOf(later, runDate)?.seq === currentOf(log, runDate)?.seq)
      return verification;
    log = later;
  }
}

type Note = (path: string, problem: Finding['problem'], detail: string) => void;

async function verifyOnce({ storage, runDate, log, readsFiles }: DateRequest): Promise<DateVerification> {
  const findings: Finding[] = [];
  const note: Note = (path, problem, detail) => {
    findings.push({ runDate, path, problem, detail });
  };
  const entries = log.flatMap(({ entry }) =>
    entry?.run_date === runDate && entry.manifest_sha256 !== null ? [entry] : [],
  );
  let current: StoredManifest | undefined;
  for (const entry of entries) current = await readNoted(storage, entry, note);
  if (!current) return { report: undefined, findings };

  const { manifest, text } = current;
  const copy = currentManifestKey(runDate);
  if ((await readText(storage, copy)) !== text)
    note(copy, 'copy', 'is not the current manifest; the next dump, compact or prune of this day repairs it');
  if (entries.at(-1)?.action === 'prune' && manifest.status !== 'pruned')
    note(manifestKey(runDate, manifest.written.run_id), 'log', 'the log says that it was pruned');
  for (const detail of wrongTotals(manifest))
    note(manifestKey(runDate, manifest.written.run_id), 'totals', detail);

  const files = manifestFiles(manifest);
  await compareNames(storage, manifest, files, note);
  if (readsFiles) for (const file of files) await verifyFile(storage, manifest, file, note);
  const { run_id: runId, status, started_at: startedAt, totals, erasures = [] } = manifest;
  const found = { files: files.length, rows: totals.rows, erasures };
  const report = { runDate, runId, status, startedAt, isBackDated: isBackDated(manifest), ...found };
  return { report, findings };
}

/** Every manifest of a run date is kept: those that were replaced are compared with the log, too. */
async function readNoted(storage: Storage, entry: LogEntry, note: Note): Promise<StoredManifest | undefined> {
  try {
    return await readEntryManifest(storage, entry);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const key = manifestKey(entry.run_date, entry.run_id);
    // A missing one is reported with those of the root.
    if (error.code === 'manifest_differs')
      note(key, 'log', 'does not match its log entry: it was changed after publishing');
    else if (error.code === 'manifest_invalid')
      note(key, 'unreadable', 'is not a manifest that this version can read');
    else if (error.code !== 'manifest_missing') throw error;
    return undefined;
  }
}

async function compareNames(
  storage: Storage,
  manifest: Manifest,
  files: readonly TableFile[],
  note: Note,
): Promise<void> {
  const { run_date: runDate, status } = manifest;
  const referenced = new Set(files.map(({ path }) => path));
  const found = new Set<string>();
  for (const table of tablesOf(manifest))
    for await (const { key } of storage.list(dateFolder(table, runDate))) found.add(key);
  for (const path of referenced)
    if (!found.has(path)) note(path, 'missing', 'the manifest names it, and it is not there');
  for (const path of found) {
    if (referenced.has(path)) continue;
    const run = runOfPart(path);
    const whose =
      run === undefined ? 'no run of this connector writes such a name' : `it belongs to run ${run}`;
    const pruned = status === 'pruned' ? ', and the snapshot was pruned' : '';
    note(path, 'unreferenced', `the current manifest does not name it: ${whose}${pruned}`);
  }
}

async function verifyFile(storage: Storage, manifest: Manifest, file: TableFile, note: Note): Promise<void> {
  const found = await inspect(storage, manifest, file);
  if (found === undefined) return; // reported as missing
  if (found.bytes !== file.bytes)
    note(file.path, 'size', `${file.bytes} bytes were published, ${found.bytes} are there`);
  else if (found.sha256 !== file.sha256)
    note(file.path, 'sha256', 'its bytes are not those that were published');
  if (found.content === undefined) {
    note(file.path, 'unreadable', `it cannot be read as ${manifest.format}`);
    return;
  }
  if (found.content.rows !== file.rows)
    note(file.path, 'rows', `${file.rows} rows were published, ${found.content.rows} are there`);
  const columns = found.content.columns?.join(', ');
  if (columns !== undefined && columns !== manifest.tables[file.table]?.columns.join(', '))
    note(file.path, 'schema', `its columns are ${columns}`);
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
  { path }: TableFile,
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
