import { ConfigError } from '../errors.js';
import type { StreamSchema } from '../model/schema.js';
import type { Block, Regrouping } from '../sinks/regrouping.js';
import type { Sink } from '../sinks/sink.js';
import type { Written } from '../storage/storage.js';
import { keyText } from '../streams/stream.js';
import { checkedFile } from './checked-file.js';
import { cutter, rowsDiffer } from './cutter.js';
import type { FileEntry, Slice } from './manifest.js';
import { partName } from './paths.js';

/** A sink whose rows can move from file to file. */
export type RegroupingSink = Sink & { readonly regroup: Regrouping };

/** @throws ConfigError `layout_not_supported` */
export function checkRegroups(sink: Sink): asserts sink is RegroupingSink {
  if (sink.regroup) return;
  throw new ConfigError(
    `The sink of the ${sink.format} files has no \`regroup\`, so it cannot combine the rows of several lists in one file. Use the layout per-org or another sink.`,
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

const splitFile = (file: FileEntry, { read, place, sink, schema }: Regroup): AsyncGenerator<Block> =>
  checkedFile({
    bytes: read(file),
    expected: file,
    place: place(file),
    decode: (bytes) => sink.regroup.split(schema, bytes),
  });
