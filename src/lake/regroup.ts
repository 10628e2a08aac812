import { ComplianceError, ConfigError, SinkError } from '../errors.js';
import type { StreamSchema } from '../model/schema.js';
import type { Block, Regrouping } from '../sinks/regrouping.js';
import type { Sink } from '../sinks/sink.js';
import { checkedBytes, drain } from '../storage/checked-bytes.js';
import type { Written } from '../storage/storage.js';
import { keyText } from '../streams/stream.js';
import { cutter, rowsDiffer } from './cutter.js';
import type { FileEntry, Slice } from './manifest.js';
import { partName } from './paths.js';

/** A sink whose rows can move from file to file. */
export type RegroupingSink = Sink & { readonly regroup: Regrouping };

/** @throws ConfigError `layout_not_supported` */
export function checkRegroups(sink: Sink): asserts sink is RegroupingSink {
  if (sink.regroup) return;
  throw new ConfigError(
    `This writer of ${sink.format} files cannot combine the rows of several lists in one file: it writes no statistics by which a reader could skip. Leave out --layout per-date, or choose another writer.`,
    { code: 'layout_not_supported' },
  );
}

export interface Regroup {
  schema: StreamSchema;
  /** The lists, each with its files. */
  slices: readonly Pick<Slice, 'parent' | 'rows' | 'files'>[];
  /** Of the format of the files; one that can regroup. */
  sink: RegroupingSink;
  rowsPerFile: number;
  read(file: FileEntry): AsyncIterable<Uint8Array>;
  /** Names a file in messages, without credentials. */
  place(file: FileEntry): string;
  /** Of the new files, below the root: `users/run_date=…/`. */
  folder: string;
  /** Takes one new file, by its path below the root. */
  write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Written>;
  signal: AbortSignal | undefined;
}

/**
 * Writes the rows of several lists into combined files, list after list in the order of their parents: by it, statistics
 * tell where a parent is not. What is read is compared with what was written once.
 * @throws StorageError `file_differs`; SinkError `rows_differ`, `file_unreadable`
 */
export async function regroup(request: Regroup): Promise<FileEntry[]> {
  const { schema, slices, sink, rowsPerFile, folder } = request;
  const ordered = [...slices].sort((a, b) => (keyText(a.parent) < keyText(b.parent) ? -1 : 1));
  const blocks = blocksOf(
    ordered.flatMap(({ files }) => files),
    request,
  );
  const cut = cutter(blocks);
  const files: FileEntry[] = [];
  try {
    for (let left = slices.reduce((sum, { rows }) => sum + rows, 0); left > 0; left -= rowsPerFile) {
      const path = folder + partName(files.length, sink.extension);
      const rows = Math.min(left, rowsPerFile);
      const written = await request.write(path, sink.regroup.join(schema, cut.take(rows)));
      files.push({ path, rows, ...written });
    }
    await cut.end();
    return files;
  } finally {
    await blocks.return(undefined);
  }
}

/** The rows of all files, one after the other. */
async function* blocksOf(files: readonly FileEntry[], request: Regroup): AsyncGenerator<Block> {
  for (const file of files) {
    request.signal?.throwIfAborted();
    let rows = 0;
    for await (const block of splitFile(file, request)) {
      request.signal?.throwIfAborted();
      rows += block.rows;
      yield block;
    }
    if (rows !== file.rows)
      throw rowsDiffer(`${request.place(file)} holds ${rows} rows where ${file.rows} are listed`);
  }
}

/** A file that was changed is reported as one that differs, not as whatever its reader stumbles over. */
async function* splitFile(file: FileEntry, { read, place, sink, schema }: Regroup): AsyncGenerator<Block> {
  const bytes = checkedBytes(read(file), file, place(file));
  const unclosed = { [Symbol.asyncIterator]: () => ({ next: () => bytes.next() }) };
  try {
    yield* sink.regroup.split(schema, unclosed);
    await drain(bytes);
  } catch (error) {
    await drain(bytes);
    if (error instanceof ComplianceError) throw error;
    throw new SinkError(`${place(file)} cannot be read, although it is the file that was written.`, {
      code: 'file_unreadable',
      cause: error,
    });
  } finally {
    await bytes.return(undefined);
  }
}
