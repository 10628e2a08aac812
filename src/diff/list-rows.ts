import { fileRows, type PublishedSnapshot } from '../lake/file-rows.js';
import type { Slice } from '../lake/manifest.js';
import type { Row } from '../model/rows.js';
import { keyText, type Stream } from '../streams/stream.js';

/** Reads the rows of one list after the other. */
export interface ListRows {
  /** The rows of a list. Lists are to be asked for in the order of their keys, and each read to its end. */
  of(slice: Slice): AsyncGenerator<readonly Row[]>;
  close(): Promise<void>;
}

/** Of either layout: files of a list of its own, or files that hold all lists in the order of their keys. */
export function listRows(stream: Stream, snapshot: PublishedSnapshot): ListRows {
  const { schema, key } = stream;
  const { files = [] } = snapshot.manifest.tables[stream.name] ?? {};
  const parents = schema.primaryKey.filter((name) => !key.includes(name));
  const listOf = (row: Row): string => parents.map((name) => row[name]).join('/');

  async function* combined(): AsyncGenerator<readonly Row[]> {
    for (const file of files) yield* fileRows(file, schema, snapshot);
  }
  const all = combined();
  let batch: readonly Row[] = [];
  let at = 0;

  async function* combinedRows(list: string): AsyncGenerator<readonly Row[]> {
    for (;;) {
      while (at < batch.length && listOf(batch[at] as Row) < list) at += 1;
      const from = at;
      while (at < batch.length && listOf(batch[at] as Row) === list) at += 1;
      if (at > from) yield batch.slice(from, at);
      if (at < batch.length) return;
      const next = await all.next();
      if (next.done) return;
      [batch, at] = [next.value, 0];
    }
  }
  async function* ownRows(slice: Slice): AsyncGenerator<readonly Row[]> {
    for (const file of slice.files) yield* fileRows(file, schema, snapshot);
  }
  return {
    of: (slice) => (files.length > 0 ? combinedRows(keyText(slice.parent)) : ownRows(slice)),
    close: async () => void (await all.return(undefined)),
  };
}
