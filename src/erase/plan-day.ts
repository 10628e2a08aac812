import { ConfigError } from '../errors.js';
import type { PublishedSnapshot } from '../lake/file-rows.js';
import { type FileEntry, type Manifest, manifestFiles, type Table } from '../lake/manifest.js';
import type { StoredManifest } from '../lake/manifest-file.js';
import type { Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import type { Stream } from '../streams/stream.js';
import { editsOf } from './file-edits.js';
import type { RowEditor } from './row-editor.js';

/** Counts by table; a table without any is left out. */
export type RowsByTable = Readonly<Record<string, number>>;

/** What an erasure changes in a snapshot. */
export interface DayPlan {
  /** Of the manifest that it was made from. */
  sha256: string;
  /** The paths of the files that change. */
  files: ReadonlySet<string>;
  /** Rows that go. */
  removed: RowsByTable;
  /** Rows in which something is replaced. */
  replaced: RowsByTable;
}

interface PlanRequest {
  storage: Storage;
  stored: StoredManifest;
  editorOf(stream: Stream): RowEditor;
  signal?: AbortSignal | undefined;
}

/** Reads every row of a snapshot. @throws ConfigError `columns_unknown`; what reading the files throws */
export async function planDay({ storage, stored, editorOf, signal }: PlanRequest): Promise<DayPlan> {
  const { manifest, sha256 } = stored;
  const files = new Set<string>();
  const [removed, replaced]: Record<string, number>[] = [{}, {}] as const;
  for (const { stream, table } of tablesToRead(storage, manifest)) {
    const edit = editorOf(stream);
    for (const file of filesOf(table)) {
      signal?.throwIfAborted();
      const edits = await editsOf(file, { stream, snapshot: { storage, manifest }, edit });
      if (edits.length > 0) files.add(file.path);
      for (const { row } of edits) add(row ? replaced : removed, stream.name, 1);
    }
  }
  return { sha256, files, removed: removed ?? {}, replaced: replaced ?? {} };
}

export const isNothing = ({ files }: DayPlan): boolean => files.size === 0;

/** The tables of a snapshot with their streams. @throws ConfigError `columns_unknown` */
export function tablesToRead(storage: Storage, manifest: Manifest): { stream: Stream; table: Table }[] {
  return Object.entries(manifest.tables).map(([name, table]) => {
    const stream = streams.find((known) => known.name === name);
    const fields = stream?.schema.fields.map((field) => field.name) ?? [];
    if (stream && table.columns.every((column) => fields.includes(column))) return { stream, table };
    throw new ConfigError(
      `${name} of ${manifest.run_date} in ${storage.location} has columns that this version of the connector does not know: nobody can say whether somebody is in them. Erase with the version that wrote it (${manifest.connector.version}).`,
      { code: 'columns_unknown' },
    );
  });
}

/** The files of a table, in either layout. */
export const filesOf = (table: Table): FileEntry[] => manifestFiles({ tables: { table } });

export const add = (counts: Record<string, number>, name: string, more: number): void => {
  counts[name] = (counts[name] ?? 0) + more;
};

/** A snapshot as its files are read. */
export const snapshotOf = (storage: Storage, { manifest }: StoredManifest): PublishedSnapshot => ({
  storage,
  manifest,
});
