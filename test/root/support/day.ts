import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../src/clock.js';
import { type Day, replacedBy } from '../../../src/lake/day.js';
import { headOf, readLog } from '../../../src/lake/log.js';
import { type FileEntry, type Manifest, type Slice, totalsOf } from '../../../src/lake/manifest.js';
import { readCurrent } from '../../../src/lake/manifest-file.js';
import { newRunId } from '../../../src/lake/paths.js';
import type { FinishedFile, Storage } from '../../../src/storage/storage.js';
import { DATASET, streams } from '../../../src/streams/index.js';
import { CONNECTOR } from '../../../src/version.js';

export const RUN_DATE = '2026-11-23';
export const TABLES: readonly string[] = streams.map(({ name }) => name);

interface DayOptions {
  runId?: string;
  runDate?: string;
  clock?: Clock;
}

/** One run date as a run without a lease finds it. */
export async function openDay(
  storage: Storage,
  { runDate = RUN_DATE, clock = systemClock, runId = newRunId(clock.now()) }: DayOptions = {},
): Promise<Day> {
  const log = await readLog(storage);
  const current = await readCurrent(storage, log, runDate);
  const expected = headOf(log, runDate)?.seq ?? 0;
  return { storage, runDate, runId, clock, log, current, expected, lease: { keep() {} } };
}

/** What a run is about to publish. */
export interface Prepared {
  manifest: Manifest;
  files: FinishedFile[];
}

/** A complete snapshot of a few organisations; every row names the run. @param folder for its files */
export async function prepare(
  day: Day,
  folder: string,
  sizes: readonly number[] = [2, 1],
): Promise<Prepared> {
  const { runDate, runId } = day;
  const files: FinishedFile[] = [];
  const fileOf = async (key: string, rows: number): Promise<FileEntry> => {
    const path = join(folder, runId, `${files.length}.ndjson`);
    const text = Array.from({ length: rows }, (_, i) => `{"id":"${runId} ${i}"}\n`).join('');
    await mkdir(join(folder, runId), { recursive: true });
    await writeFile(path, text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    files.push({ key, path, bytes: text.length, sha256 });
    return { path: key, rows, bytes: text.length, sha256 };
  };
  const part = `run_date=${runDate}/`;
  const name = `part-00000-${runId}.ndjson`;
  const lists = await fileOf(`organizations/${part}${name}`, sizes.length);
  const slices: Slice[] = [];
  for (const [i, rows] of sizes.entries()) {
    const parent = { organization_uuid: `00000000-0000-4000-8000-00000000000${i}` };
    const file = await fileOf(`users/${part}org_uuid=${parent.organization_uuid}/${name}`, rows);
    slices.push(sliceOf(parent, rows, [file]));
  }
  const manifest = manifestOf(day, {
    organizations: [sliceOf({}, sizes.length, [lists])],
    users: slices,
  });
  return { manifest, files };
}

/** A list that was read to its end. */
export const sliceOf = (parent: Slice['parent'], rows: number, files: FileEntry[]): Slice => ({
  parent,
  endpoint: '/v1/made/up',
  parameters: {},
  rows,
  pages: 1,
  duplicates: 0,
  differing: 0,
  surrogates_repaired: 0,
  first_request_id: null,
  last_request_id: null,
  first_request_at: null,
  last_request_at: null,
  pages_sha256: null,
  verdict: 'complete',
  reason: null,
  files,
});

/** The manifest of a day, with these slices by table. */
export function manifestOf(day: Day, slices: Readonly<Record<string, Slice[]>> = {}): Manifest {
  const { runDate, runId, clock } = day;
  const at = new Date(clock.now()).toISOString();
  const tables = Object.fromEntries(
    Object.entries(slices).map(([name, lists]) => [
      name,
      {
        layout: 'per-parent' as const,
        columns: ['id'],
        rows: lists.reduce((sum, { rows }) => sum + rows, 0),
        files: [],
        slices: lists,
      },
    ]),
  );
  return {
    manifest_version: 2,
    pseudonyms: null,
    status: 'complete',
    run_id: runId,
    run_date: runDate,
    started_at: at,
    extracted_at: at,
    attempts: [runId],
    connector: CONNECTOR,
    dataset: DATASET,
    format: 'ndjson',
    scope: { streams: Object.keys(slices), known: [...TABLES], organizations: 'all' },
    configuration: {},
    written: { action: 'publish', run_id: runId, at, connector: CONNECTOR },
    replaces: replacedBy(day),
    totals: totalsOf(tables),
    tables,
  };
}
