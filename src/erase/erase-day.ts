import { type Day, publish } from '../lake/day.js';
import type { ErasedPerson } from '../lake/erasures.js';
import type { FileEntry, Manifest, Slice, Table } from '../lake/manifest.js';
import { republishedKey } from '../lake/paths.js';
import { sinkLike } from '../lake/sink-like.js';
import type { LocalStorage } from '../storage/local.js';
import type { FinishedFile } from '../storage/storage.js';
import { keyText, type Stream } from '../streams/stream.js';
import { rewritten } from '../upkeep/rewritten.js';
import { type Edit, editedFile, editsOf, heldSchema } from './file-edits.js';
import { add, type DayPlan, isNothing, planDay, tablesToRead } from './plan-day.js';
import type { RowEditor } from './row-editor.js';

interface DayErasure {
  day: Day;
  /** What was planned before the lease was taken. */
  plan: DayPlan | undefined;
  editorOf(stream: Stream): RowEditor;
  person: ErasedPerson;
  reason: string | null;
  /** For the new files until they are published. */
  scratch: LocalStorage;
  signal: AbortSignal;
}

/** Writes the files of a snapshot that name the person again, and commits them. @returns what was changed */
export async function eraseDay(request: DayErasure): Promise<DayPlan | undefined> {
  const { day, editorOf, person, reason, signal } = request;
  const { current, storage } = day;
  if (!current || current.manifest.status === 'pruned') return undefined;
  const plan =
    request.plan?.sha256 === current.sha256
      ? request.plan
      : await planDay({ storage, stored: current, editorOf, signal });
  if (isNothing(plan)) return plan;
  const { manifest } = current;
  const files: FinishedFile[] = [];
  const tables = { ...manifest.tables };
  for (const { stream, table } of tablesToRead(storage, manifest))
    tables[stream.name] = await eraseTable({ ...request, manifest, plan, stream, table, files });
  const erasure = {
    erased_at: new Date(day.clock.now()).toISOString(),
    run_id: day.runId,
    ...person,
    reason,
    removed: { ...plan.removed },
    replaced: { ...plan.replaced },
  };
  const next: Manifest = {
    ...rewritten(day, manifest, { action: 'erase', tables }),
    erasures: [...(manifest.erasures ?? []), erasure],
  };
  await publish(day, next, files, signal);
  return plan;
}

interface TableErasure extends Omit<DayErasure, 'plan'> {
  manifest: Manifest;
  plan: DayPlan;
  stream: Stream;
  table: Table;
  /** The new files are added to these. */
  files: FinishedFile[];
}

async function eraseTable(request: TableErasure): Promise<Table> {
  const { table } = request;
  const found: Edit[] = [];
  const eraseFiles = async (files: readonly FileEntry[]): Promise<FileEntry[]> => {
    const kept: FileEntry[] = [];
    for (const file of files) {
      const { edits, next } = await eraseFile(file, request);
      found.push(...edits);
      if (next) kept.push(next);
    }
    return kept;
  };
  const files = await eraseFiles(table.files);
  const slices: Slice[] = [];
  for (const slice of table.slices) slices.push({ ...slice, files: await eraseFiles(slice.files) });
  if (found.length === 0) return table;
  const edited = new Set(found.map(({ list }) => list));
  const removed: Record<string, number> = {};
  for (const { list, row } of found) if (!row) add(removed, list, 1);
  return {
    ...table,
    rows: table.rows - found.filter(({ row }) => !row).length,
    files,
    slices: slices.map((slice) => {
      const list = keyText(slice.parent);
      if (!edited.has(list)) return slice;
      const fewer = removed[list] ?? 0;
      const erased = (slice.erased ?? 0) + fewer;
      // The files no longer hold what these pages did.
      return { ...slice, rows: slice.rows - fewer, pages_sha256: null, ...(erased > 0 && { erased }) };
    }),
  };
}

/** Writes a file again, when the person is in it; `next` is undefined when nobody else was. */
async function eraseFile(
  file: FileEntry,
  request: TableErasure,
): Promise<{ edits: readonly Edit[]; next: FileEntry | undefined }> {
  const { day, manifest, plan, stream, table, scratch, signal } = request;
  if (!plan.files.has(file.path)) return { edits: [], next: file };
  signal.throwIfAborted();
  const { storage, runId } = day;
  const snapshot = { storage, manifest };
  const edits = await editsOf(file, { stream, snapshot, edit: request.editorOf(stream) });
  const rows = file.rows - edits.filter(({ row }) => !row).length;
  // A list without rows has no file; a table that is one list keeps an empty one.
  if (rows === 0 && stream.parent) return { edits, next: undefined };
  const sink = await sinkLike(file, manifest.format, storage);
  const schema = heldSchema(stream.schema, table);
  const path = republishedKey(file.path, runId);
  const written = await scratch.stage(path, editedFile(file, { storage, schema, sink, edits }));
  request.files.push(scratch.finished(path, { key: path, ...written }));
  return { edits, next: { path, rows, ...written } };
}
