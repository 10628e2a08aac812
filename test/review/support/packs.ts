import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import {
  type Evidence,
  evidenceSchema,
  type ForeignCsv,
  LocalStorage,
  type ReviewOptions,
  writeReview,
} from '../../../src/index.js';

export const bytesOf = async function* (text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof text === 'string' ? Buffer.from(text) : text;
};
export const csvOf = (text: string | Uint8Array, place = '--check p.csv'): ForeignCsv => ({
  bytes: bytesOf(text),
  place,
});

/** Writes a pack of a root, in the folder beside it. */
export async function packOf(folder: string, options: Partial<ReviewOptions> = {}): Promise<string> {
  const out = options.out ?? join(folder, 'pack');
  const storage = new LocalStorage(join(folder, 'root'));
  await writeReview({ storage, scratch: join(folder, 'scratch'), ...options, out });
  return out;
}

/** The rows of a CSV of a pack, as a library of others reads them, without the guard before formulas. */
export async function rowsIn(pack: string, name: string): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = parse(await readFile(join(pack, name)), {
    bom: true,
    columns: true,
  });
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, cell]) => [key, cell.replace(/^'(?=[=+\-@\t\n])/, '')]),
    ),
  );
}

export const evidenceIn = async (pack: string): Promise<Evidence> =>
  evidenceSchema.parse(JSON.parse(await readFile(join(pack, 'evidence.json'), 'utf8')));

/** The files of a folder with their sizes and digests, by another way than the pack's. */
export async function filesIn(pack: string) {
  const names = (await readdir(pack)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(pack, name));
      return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}
