import { ComplianceError, ConfigError, SinkError } from '../errors.js';
import { usersSchema } from '../schema.js';
import type { Block, Regrouping } from '../sinks/regrouping.js';
import type { Sink } from '../sinks/sink.js';
import type { Written } from '../storage/storage.js';
import { cutter, rowsDiffer } from './cutter.js';
import { checkedBytes, drain } from './listed-file.js';
import { type FileEntry, type Layout, type Manifest, manifestFiles, type Slice } from './manifest.js';
import { dateFolder, organizationFolder, partName } from './partition.js';

/** A sink whose rows can move from file to file. */
export type RegroupingSink = Sink & { readonly regroup: Regrouping };

/** @throws ConfigError `layout_not_supported` */
export function checkRegroups(sink: Sink): asserts sink is RegroupingSink {
  if (sink.regroup) return;
  throw new ConfigError(
    `This writer of ${sink.format} files cannot lay them out per date: it writes no statistics by which a reader could skip. Leave out --layout per-date, or choose another writer.`,
    { code: 'layout_not_supported' },
  );
}

export interface Regroup {
  /** What lies there now. */
  manifest: Manifest;
  to: Layout;
  /** Of the format that lies there; one that can regroup. */
  sink: RegroupingSink;
  rowsPerFile: number;
  read(file: FileEntry): AsyncIterable<Uint8Array>;
  /** Names a file in messages, without credentials. */
  place(file: FileEntry): string;
  /** Takes one new file, named relative to the date folder. */
  write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<Written>;
  signal: AbortSignal | undefined;
}

/**
 * Writes the users of a run date into other files: the same rows, organisation after organisation in the order of their
 * ids, cut at other places. What is read is compared with what was written once.
 * @returns the manifest of the new files, otherwise as it was
 * @throws StorageError `file_differs`; SinkError `rows_differ`, `file_unreadable`
 */
export async function regroup(request: Regroup): Promise<Manifest> {
  const { manifest, to, sink, rowsPerFile } = request;
  const slices = inOrder(manifest.slices);
  const blocks = blocksOf([...manifest.users.files, ...slices.flatMap(({ files }) => files)], request);
  const cut = cutter(blocks);

  const writeParts = async (folder: string, rows: number): Promise<FileEntry[]> => {
    const files: FileEntry[] = [];
    for (let left = rows; left > 0; left -= rowsPerFile) {
      const name = `${folder}${partName(files.length, sink.extension)}`;
      const count = Math.min(left, rowsPerFile);
      const written = await request.write(name, sink.regroup.join(usersSchema, cut.take(count)));
      files.push({
        path: `${dateFolder(usersSchema.name, manifest.run_date)}/${name}`,
        rows: count,
        ...written,
      });
    }
    return files;
  };

  try {
    const together = to === 'per-date' ? await writeParts('', manifest.totals.users) : [];
    const apart = new Map<string, FileEntry[]>();
    for (const { organization_uuid: uuid, rows } of to === 'per-org' ? slices : [])
      apart.set(uuid, await writeParts(`${organizationFolder(uuid)}/`, rows));
    await cut.end();
    return laidOut(manifest, to, { together, apart });
  } finally {
    await blocks.return(undefined);
  }
}

/** The order of the rows in the layout per-date: by it, statistics tell where an organisation is not. */
const inOrder = (slices: readonly Slice[]): Slice[] =>
  [...slices].sort((a, b) => (a.organization_uuid < b.organization_uuid ? -1 : 1));

interface UserFiles {
  /** Those of all organisations. */
  together: FileEntry[];
  /** Those of each. */
  apart: ReadonlyMap<string, FileEntry[]>;
}

/** A manifest with its users in other files. */
export function laidOut(manifest: Manifest, layout: Layout, { together, apart }: UserFiles): Manifest {
  const slices = manifest.slices.map((slice) => ({
    ...slice,
    files: apart.get(slice.organization_uuid) ?? [],
  }));
  const changed: Manifest = { ...manifest, layout, users: { files: together }, slices };
  const files = manifestFiles(changed);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { ...changed, totals: { ...manifest.totals, files: files.length, bytes } };
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

/** What is no such file any more is told as a file that differs, not as whatever its reader stumbles over. */
async function* splitFile(file: FileEntry, { read, place, sink }: Regroup): AsyncGenerator<Block> {
  const bytes = checkedBytes(read(file), file, place(file));
  const unclosed = { [Symbol.asyncIterator]: () => ({ next: () => bytes.next() }) };
  try {
    yield* sink.regroup.split(usersSchema, unclosed);
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
