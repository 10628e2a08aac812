import { fileRows, type PublishedSnapshot } from '../lake/file-rows.js';
import type { Slice, Table } from '../lake/manifest.js';
import type { Row } from '../model/rows.js';
import { keyText, type Stream } from '../streams/stream.js';

/** Reads the rows of one list after the other. */
export interface ListRows {
  /** The rows of a list. Lists are to be asked for in the order of their keys, and each read to its end. */
  of(slice: Slice): AsyncGenerator<readonly Row[], void, void>;
  /** Reads the last file to its end: what was returned of it counts only then. @throws StorageError `file_differs` */
  end(): Promise<void>;
  close(): Promise<void>;
}

/** Of either layout: files of a list of its own, or files that hold all lists in the order of their keys. */
export function listRows(stream: Stream, snapshot: PublishedSnapshot): ListRows {
  const { schema, key } = stream;
  const table = snapshot.manifest.tables[stream.name];
  const { files = [] } = table ?? {};
  const firstRowOf = firstRows(table);
  const parents = schema.primaryKey.filter((name) => !key.includes(name));
  const listOf = (row: Row): string => parents.map((name) => row[name]).join('/');

  let rows: AsyncGenerator<readonly Row[], void, void> | undefined;
  let [batch, at]: [readonly Row[], number] = [[], 0];
  let [next, nextRow] = [0, 0];

  /** Goes to the next batch. Files that end before a row are not opened. */
  async function advance(firstRow: number): Promise<boolean> {
    for (;;) {
      const read = await rows?.next();
      if (read && !read.done) {
        [batch, at] = [read.value, 0];
        return true;
      }
      let file = files[next];
      for (; file && nextRow + file.rows <= firstRow; file = files[next]) {
        nextRow += file.rows;
        next += 1;
      }
      if (!file) return false;
      rows = fileRows(file, schema, snapshot);
      nextRow += file.rows;
      next += 1;
    }
  }

  async function* combinedRows({ parent }: Slice): AsyncGenerator<readonly Row[], void, void> {
    const list = keyText(parent);
    const firstRow = firstRowOf(list);
    for (;;) {
      while (at < batch.length && listOf(batch[at] as Row) < list) at += 1;
      const from = at;
      while (at < batch.length && listOf(batch[at] as Row) === list) at += 1;
      if (at > from) yield batch.slice(from, at);
      if (at < batch.length || !(await advance(firstRow))) return;
    }
  }
  async function* ownRows(slice: Slice): AsyncGenerator<readonly Row[], void, void> {
    for (const file of slice.files) yield* fileRows(file, schema, snapshot);
  }
  return {
    of: (slice) => (files.length > 0 ? combinedRows(slice) : ownRows(slice)),
    async end() {
      for await (const _ of rows ?? []);
    },
    close: async () => void (await rows?.return()),
  };
}

/** In which row of all combined files a list begins. Where the numbers do not add up, every file is to be read. */
function firstRows({ rows = 0, slices = [] }: Partial<Table> = {}): (list: string) => number {
  const first = new Map<string, number>();
  let sum = 0;
  for (const { parent, rows: own } of [...slices].sort((a, b) =>
    keyText(a.parent) < keyText(b.parent) ? -1 : 1,
  )) {
    first.set(keyText(parent), sum);
    sum += own;
  }
  return (list) => (sum === rows ? (first.get(list) ?? 0) : 0);
}
