import { SCHEMA_VERSION } from '../schema.js';
import type { Sink } from '../sinks/sink.js';
import { NAME, NODE_VERSION, VERSION } from '../version.js';
import type { FileEntry, Manifest, Scope, Slice } from './manifest.js';
import type { StagedFiles, Staging } from './staging.js';

interface RunDescription {
  /** Of a run that has read everything. */
  staging: Staging;
  sink: Sink;
  scope: Scope;
  configuration: Readonly<Record<string, unknown>>;
}

/** The manifest of what lies in a staging, organisation by organisation, before anything of it is published. */
export function describeRun({ staging, sink, scope, configuration }: RunDescription): Manifest {
  const { header, progress } = staging;
  const { organizations: list, extractedAt } = progress;
  if (!list || extractedAt === undefined)
    throw new TypeError('a run is described when it has read everything');
  const ofFormat = (files: StagedFiles): FileEntry[] => files[sink.format] ?? [];
  const slices: Slice[] = list.uuids.flatMap((uuid) => {
    const slice = progress.slices.get(uuid);
    return slice ? [{ ...slice, files: ofFormat(slice.files) }] : [];
  });
  const { uuids, ...organizations } = { ...list, files: ofFormat(list.files) };
  const walks = [organizations, ...slices];
  const files = walks.flatMap((walk) => walk.files);
  return {
    manifest_version: 1,
    status: 'publishing',
    run_id: header.run_id,
    run_date: header.run_date,
    started_at: header.started_at,
    extracted_at: extractedAt,
    published_at: null,
    connector: { name: NAME, version: VERSION, node: NODE_VERSION },
    format: sink.format,
    layout: 'per-org',
    schema_version: SCHEMA_VERSION,
    scope,
    configuration,
    lock: null,
    replaces: null,
    totals: {
      organizations: uuids.length,
      users: sum(slices, 'rows'),
      files: files.length,
      bytes: sum(files, 'bytes'),
      pages: sum(walks, 'pages'),
      duplicates: sum(walks, 'duplicates'),
      surrogates_repaired: sum(walks, 'surrogates_repaired'),
      gone: slices.filter(({ verdict }) => verdict === 'gone').length,
      failed: slices.filter(({ verdict }) => verdict === 'failed').length,
    },
    organizations,
    users: { files: [] },
    compaction: null,
    pruned: null,
    slices,
  };
}

const sum = <K extends string>(items: readonly Record<K, number>[], key: K): number =>
  items.reduce((total, item) => total + item[key], 0);
