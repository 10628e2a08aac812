import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StorageError } from '../../../src/errors.js';
import type { FinishedFile, Storage, StoredObject, Written } from '../../../src/storage/storage.js';

/** A root in memory: quick enough for a test to try it in thousands of states. */
export class MemoryStorage implements Storage {
  readonly location = 'memory://root';
  readonly objects: Map<string, Buffer>;

  constructor(objects: ReadonlyMap<string, Buffer> = new Map()) {
    this.objects = new Map(objects);
  }

  async *read(key: string): AsyncGenerator<Uint8Array> {
    const bytes = this.objects.get(key);
    if (!bytes) throw new StorageError(`There is no ${this.location}/${key}.`, { code: 'not_found' });
    yield bytes;
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    for (const [key, { byteLength }] of [...this.objects])
      if (folder === '' || key.startsWith(`${folder}/`)) yield { key, bytes: byteLength };
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    const all = Buffer.concat(chunks);
    this.objects.set(key, all);
    return { bytes: all.byteLength, sha256: createHash('sha256').update(all).digest('hex') };
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    if (this.objects.has(key)) return false;
    this.objects.set(key, Buffer.from(bytes));
    return true;
  }

  async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
    for (const { key, path } of files) {
      signal?.throwIfAborted();
      this.objects.set(key, await readFile(path));
    }
  }

  async remove(key: string): Promise<void> {
    this.objects.delete(key);
  }

  /** One object as text. */
  text(key: string): string | undefined {
    return this.objects.get(key)?.toString('utf8');
  }

  /** Puts text at a key, whatever was there. */
  plant(key: string, text: string): void {
    this.objects.set(key, Buffer.from(text));
  }
}
