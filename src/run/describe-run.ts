import { join } from 'node:path';
import { type Day, replacedBy } from '../lake/day.js';
import { type FileEntry, type Manifest, type Scope, type Table, totalsOf } from '../lake/manifest.js';
import { dateFolder, publishedKey } from '../lake/paths.js';
import { checkRegroups, regroup } from '../lake/regroup.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Sink } from '../sinks/sink.js';
import type { FinishedFile } from '../storage/storage.js';
import { DATASET, streams } from '../streams/index.js';
import type { Stream } from '../streams/stream.js';
import { CONNECTOR } from '../version.js';
import type { SnapshotSettings } from './settings.js';
import { slicesOf } from './slices.js';
import { type StagedRun, stagedKey } from './staged-run.js';

interface RunDescription {
  /** Of a run that has read everything. */
  run: StagedRun;
  sink: Sink;
  day: Day;
  scope: Scope;
  settings: SnapshotSettings;
  configuration: Readonly<Record<string, unknown>>;
  pseudonyms?: Pseudonyms | undefined;
  signal: AbortSignal;
}

/** What is to be published: a manifest, and the files that it names, where they are now. */
export interface Description {
  manifest: Manifest;
  files: FinishedFile[];
}

/** Describes a staged run in one format, arranged as the settings say. */
export async function describeRun(description: RunDescription): Promise<Description> {
  const { run, sink, day, scope, settings, configuration, pseudonyms } = description;
  const { header, extractedAt, attempts } = run;
  if (extractedAt === undefined) throw new TypeError('a run is described when it has read everything');
  const finished: FinishedFile[] = [];
  const place = (file: FileEntry): FileEntry => {
    const path = publishedKey(file.path, day.runId);
    const { bytes, sha256 } = file;
    finished.push(run.files.finished(stagedKey(sink.format, file.path), { key: path, bytes, sha256 }));
    return { ...file, path };
  };
  const tables: Manifest['tables'] = {};
  for (const stream of streams.filter(({ name }) => settings.streams.includes(name))) {
    const table = await stagedTable(stream, description);
    tables[stream.name] = {
      ...table,
      files: table.files.map(place),
      slices: table.slices.map((slice) => ({ ...slice, files: slice.files.map(place) })),
    };
  }
  const totals = totalsOf(tables);
  const at = new Date(day.clock.now()).toISOString();
  const manifest: Manifest = {
    manifest_version: 2,
    status: totals.failed > 0 ? 'incomplete' : isPartial(scope) ? 'scoped' : 'complete',
    run_id: day.runId,
    run_date: header.run_date,
    started_at: header.started_at,
    extracted_at: extractedAt,
    attempts: [...attempts],
    connector: CONNECTOR,
    dataset: DATASET,
    format: sink.format,
    scope,
    configuration,
    written: { action: 'publish', run_id: day.runId, at, connector: CONNECTOR },
    replaces: replacedBy(day),
    pseudonyms: pseudonyms?.scheme ?? null,
    totals,
    tables,
  };
  return { manifest, files: finished };
}

/** Whether less than everything was asked for. */
const isPartial = ({ organizations, streams: asked }: Scope): boolean =>
  organizations !== 'all' || streams.some(({ name, isDefault }) => isDefault && !asked.includes(name));

/** A table with its files as they are named in the staged run. */
async function stagedTable(stream: Stream, description: RunDescription): Promise<Table> {
  const { run, sink, settings, signal } = description;
  const slices = slicesOf(stream, run).flatMap((parent) => {
    const staged = run.slice(stream.name, parent);
    if (!staged) return [];
    const { stream: _, keys: _keys, files, ...slice } = staged;
    return [{ ...slice, files: [...(files[sink.format] ?? [])] }];
  });
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  const columns = stream.schema.fields.map(({ name }) => name);
  if (!stream.parent || settings.layout === 'per-org')
    return { layout: 'per-parent', columns, rows, files: [], slices };
  checkRegroups(sink);
  const files = await regroup({
    schema: stream.schema,
    slices,
    sink,
    rowsPerFile: settings.rowsPerFile,
    read: ({ path }) => run.files.read(stagedKey(sink.format, path)),
    place: ({ path }) => join(run.folder, stagedKey(sink.format, path)),
    folder: `${dateFolder(stream.name, run.header.run_date)}/`,
    write: (path, bytes) => run.files.stage(stagedKey(sink.format, path), bytes),
    signal,
  });
  return {
    layout: 'per-date',
    columns,
    rows,
    files,
    slices: slices.map((slice) => ({ ...slice, files: [] })),
  };
}
