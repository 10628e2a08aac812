import { checkedFile } from '../lake/checked-file.js';
import { cutter } from '../lake/cutter.js';
import { fileRows, type PublishedSnapshot } from '../lake/file-rows.js';
import type { FileEntry, Table } from '../lake/manifest.js';
import type { RegroupingSink } from '../lake/regroup.js';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import type { Block } from '../sinks/regrouping.js';
import type { Storage } from '../storage/storage.js';
import { keyText, type Stream } from '../streams/stream.js';
import type { RowEditor } from './row-editor.js';

/** A row of a file that does not stay as it is. */
export interface Edit {
  /** Which row of the file, from 0. */
  at: number;
  /** What it becomes; null: it is removed. */
  row: Row | null;
  /** The list that it is in, as `keyText` names it. */
  list: string;
}

/** The rows of a file that are to be edited, in their order. @throws what `fileRows` throws */
export async function editsOf(
  file: FileEntry,
  { stream, snapshot, edit }: { stream: Stream; snapshot: PublishedSnapshot; edit: RowEditor },
): Promise<Edit[]> {
  const { schema, key } = stream;
  const parents = schema.primaryKey.filter((name) => !key.includes(name));
  const edits: Edit[] = [];
  let first = 0;
  for await (const batch of fileRows(file, schema, snapshot)) {
    for (const [i, before] of batch.entries()) {
      const row = edit(before);
      if (row === undefined) continue;
      const parent = Object.fromEntries(parents.map((name) => [name, String(before[name])]));
      edits.push({ at: first + i, row, list: keyText(parent) });
    }
    first += batch.length;
  }
  return edits;
}

/** The columns that the files of a table have: those of an older version may be fewer than the stream's. */
export const heldSchema = (schema: StreamSchema, { columns }: Pick<Table, 'columns'>): StreamSchema => ({
  ...schema,
  fields: schema.fields.filter(({ name }) => columns.includes(name)),
});

interface Rewriting {
  storage: Storage;
  schema: StreamSchema;
  /** Of the format and the compression of the file. */
  sink: RegroupingSink;
  edits: readonly Edit[];
}

/**
 * The bytes of a file without what is edited: every other row is moved as it is, and never decoded.
 * @throws StorageError `file_differs`; SinkError `rows_differ`, `file_unreadable`
 */
export async function* editedFile(
  file: FileEntry,
  { storage, schema, sink, edits }: Rewriting,
): AsyncGenerator<Uint8Array> {
  const place = `${storage.location}/${file.path}`;
  const blocks = checkedFile({
    bytes: storage.read(file.path),
    expected: file,
    place,
    decode: (bytes) => sink.regroup.split(schema, bytes),
  });
  async function* edited(): AsyncGenerator<Block> {
    const cut = cutter(blocks);
    let next = 0;
    for (const { at, row } of edits) {
      yield* cut.take(at - next);
      for await (const _ of cut.take(1));
      if (row) yield* sink.regroup.split(schema, sink.encode(schema, rowOf(row, schema)));
      next = at + 1;
    }
    yield* cut.take(file.rows - next);
    await cut.end();
  }
  try {
    yield* sink.regroup.join(schema, edited());
  } finally {
    await blocks.return(undefined);
  }
}

async function* rowOf(row: Row, { fields }: StreamSchema): AsyncGenerator<readonly Row[]> {
  yield [Object.fromEntries(fields.map(({ name }) => [name, row[name] ?? null]))];
}
