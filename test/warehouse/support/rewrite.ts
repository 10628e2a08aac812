import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createSink,
  type FileEntry,
  type Manifest,
  type Row,
  type StreamSchema,
} from '../../../src/index.js';

const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Changes the only manifest of a root and its log entry, as if a run had published it so. */
export async function rewriteManifest(root: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest)}\n`;
  await writeFile(join(root, `_runs/run_date=${manifest.run_date}/${manifest.written.run_id}.json`), text);
  const entryPath = join(root, '_runs/log/00000001.json');
  const entry = JSON.parse(await readFile(entryPath, 'utf8')) as object;
  await writeFile(entryPath, JSON.stringify({ ...entry, manifest_sha256: sha256Of(text) }));
}

interface File {
  format: string;
  schema: StreamSchema;
  rows: readonly Row[];
}

/** Writes other rows, or columns, into a file of a manifest. @returns its entry */
export async function rewriteFile(
  root: string,
  { path }: FileEntry,
  { format, schema, rows }: File,
): Promise<FileEntry> {
  const batches = async function* () {
    yield rows;
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of createSink(format).encode(schema, batches())) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), bytes);
  return { path, rows: rows.length, bytes: bytes.length, sha256: sha256Of(bytes) };
}
