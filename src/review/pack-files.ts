import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { createSink, decodeFile } from '../sinks/index.js';
import type { LocalStorage } from '../storage/local.js';
import type { Evidence } from './evidence.js';

type Batches = AsyncIterable<readonly Row[]>;

/** The files of a pack, and what evidence says of them. */
export interface PackFiles {
  readonly written: Evidence['files'];
  /** @param rows to be asked when the bytes have ended; null for a file without rows */
  put(name: string, bytes: AsyncIterable<Uint8Array>, rows: () => number | null): Promise<void>;
  /** Writes a table for people who open it in a spreadsheet: a byte order mark, and a guard before what looks like a formula. */
  putTable(name: string, schema: StreamSchema, batches: Batches): Promise<void>;
}

export function packFiles(folder: LocalStorage): PackFiles {
  const written: Evidence['files'] = [];
  const put: PackFiles['put'] = async (name, bytes, rows) => {
    const file = await folder.stage(name, bytes);
    written.push({ name, rows: rows(), ...file });
  };
  return {
    written,
    put,
    async putTable(name, schema, batches) {
      let rows = 0;
      async function* counted(): Batches {
        for await (const batch of batches) {
          rows += batch.length;
          yield batch;
        }
      }
      const sink = createSink('csv', { csvFormulaGuard: true });
      await put(name, afterMark(sink.encode(schema, counted())), () => rows);
    },
  };
}

async function* afterMark(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(0xef, 0xbb, 0xbf);
  yield* bytes;
}

/** Rows that wait on the disk, because they are needed several times. */
export interface StagedRows {
  readonly bytes: number;
  read(): AsyncGenerator<readonly Row[]>;
}

/** @param folder for the owner only, in which nobody else uses the name */
export async function stageRows(
  folder: LocalStorage,
  schema: StreamSchema,
  batches: Batches,
): Promise<StagedRows> {
  const [format, path] = ['ndjson', 'rows.ndjson'];
  const { bytes } = await folder.stage(path, createSink(format).encode(schema, batches));
  return { bytes, read: () => decodeFile({ format, path, schema, bytes: folder.read(path) }) };
}
