import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinishedFile, Storage } from '../../src/storage/storage.js';

/** A folder that is removed when its test ends. */
export async function scratchFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'storage-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Writes local files that are to be put under these keys. */
export async function finish(
  scratch: string,
  files: Record<string, string | Uint8Array>,
): Promise<FinishedFile[]> {
  const finished: FinishedFile[] = [];
  for (const [key, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const path = join(scratch, randomUUID());
    await writeFile(path, bytes, { mode: 0o600 });
    finished.push({ key, path, bytes: bytes.byteLength, sha256: sha256(bytes) });
  }
  return finished;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export async function readAll(storage: Storage, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const readText = async (storage: Storage, key: string): Promise<string> =>
  (await readAll(storage, key)).toString();

/** Sizes by key, sorted by key. */
export async function listing(storage: Storage, folder: string): Promise<Record<string, number>> {
  const found: [string, number][] = [];
  for await (const { key, bytes } of storage.list(folder)) found.push([key, bytes]);
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
