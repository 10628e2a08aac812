import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { once, type StagedFolder, type Storage } from '../../src/storage/storage.js';

const MEGABYTE = 1_000_000;

/** What every storage promises; `open` gives a root that is empty. */
export function storageContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let scratch: string;
  beforeAll(async () => {
    storage = await open();
    scratch = await mkdtemp(join(tmpdir(), 'storage-contract-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  const stage = (files: Record<string, string>) => stageFiles(scratch, files);
  const put = (key: string, text: string) => storage.write(key, once(bytesOf(text)));

  describe('write and read', () => {
    it.each([0, 1, 4096])('give back an object of %d bytes, with its size and SHA-256', async (size) => {
      const bytes = Buffer.alloc(size, 'x');
      expect(await storage.write(`sizes/${size}`, once(bytes))).toEqual({
        bytes: size,
        sha256: sha256(bytes),
      });
      expect(await readAll(storage, `sizes/${size}`)).toEqual(bytes);
    });

    it('give back a large object that comes in pieces of all sizes', async () => {
      const pieces = [1, 0, 5 * MEGABYTE, 17, 24 * MEGABYTE, 999_999].map((size, at) =>
        Buffer.alloc(size, at),
      );
      const whole = Buffer.concat(pieces);
      const written = await storage.write('large/30-megabytes', from(pieces));
      expect(written).toEqual({ bytes: whole.byteLength, sha256: sha256(whole) });
      expect(sha256(await readAll(storage, 'large/30-megabytes'))).toBe(written.sha256);
    });

    it('take keys with an equals sign, as partitions have', async () => {
      const key = 'keys/run_date=2026-01-31/org_uuid=00000000-0000-4000-8000-000000000001/part-00000.parquet';
      await put(key, 'a partition');
      expect(await readText(storage, key)).toBe('a partition');
      expect(await listing(storage, 'keys')).toEqual({ [key]: 11 });
    });

    it('replace what stood there', async () => {
      await put('replaced/object', 'the old text, which is longer');
      await put('replaced/object', 'new');
      expect(await readText(storage, 'replaced/object')).toBe('new');
    });

    it('refuse to read what is not there', async () => {
      await expect(readAll(storage, 'absent/object')).rejects.toMatchObject({
        name: 'StorageError',
        code: 'not_found',
      });
    });

    it.each([
      ['small', 10],
      ['large', 20 * MEGABYTE],
    ])('leave the old object when the source of a %s new one fails', async (name, size) => {
      const fault = new Error('the source failed');
      await put(`failed/${name}/object`, 'old');
      await expect(storage.write(`failed/${name}/object`, failing(size, fault))).rejects.toBe(fault);
      await expect(storage.write(`failed/${name}/fresh`, failing(size, fault))).rejects.toBe(fault);
      expect(await listing(storage, `failed/${name}`)).toEqual({ [`failed/${name}/object`]: 3 });
    });
  });

  describe('create', () => {
    it('makes an object once, and then leaves it as it is', async () => {
      expect(await storage.create('created/object', bytesOf('first'))).toBe(true);
      expect(await storage.create('created/object', bytesOf('second'))).toBe(false);
      expect(await storage.create('created/object', bytesOf('first'))).toBe(false);
      expect(await readText(storage, 'created/object')).toBe('first');
    });

    it('lets exactly one of twenty win that try at the same time', async () => {
      const tries = Array.from({ length: 20 }, (_, at) => `try ${at}`);
      const won = await Promise.all(tries.map((text) => storage.create('contested/object', bytesOf(text))));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await readText(storage, 'contested/object')).toBe(tries[won.indexOf(true)]);
      expect(Object.keys(await listing(storage, 'contested'))).toEqual(['contested/object']);
    });

    it('takes what write has put there for what stands there', async () => {
      await put('created/written', 'first');
      expect(await storage.create('created/written', bytesOf('second'))).toBe(false);
    });
  });

  describe('list', () => {
    it('finds objects at any depth, with their sizes', async () => {
      const keys = ['listed/a', 'listed/b/c', 'listed/b/d/e/f'];
      for (const key of keys) await put(key, key);
      expect(await listing(storage, 'listed')).toEqual(
        Object.fromEntries(keys.map((key) => [key, key.length])),
      );
      expect(Object.keys(await listing(storage, 'listed/b'))).toEqual(['listed/b/c', 'listed/b/d/e/f']);
    });

    it('does not take a folder for another whose name begins with its own', async () => {
      await put('named/run_date=2026-01-1/object', 'its own');
      await put('named/run_date=2026-01-10/object', 'another');
      expect(await listing(storage, 'named/run_date=2026-01-1')).toEqual({
        'named/run_date=2026-01-1/object': 7,
      });
    });

    it('finds nothing in a folder that is not there', async () => {
      expect(await listing(storage, 'never/was')).toEqual({});
    });
  });

  describe('remove', () => {
    it('takes away an object and minds none that is absent', async () => {
      await put('removed/object', 'x');
      await put('removed/other', 'y');
      await storage.remove('removed/object');
      await storage.remove('removed/object');
      expect(Object.keys(await listing(storage, 'removed'))).toEqual(['removed/other']);
    });
  });

  describe('removeFolder', () => {
    it('takes away all that lies below a folder, and nothing beside it', async () => {
      await put('dropped/date=1/org=1/part', 'x');
      await put('dropped/date=1/part', 'y');
      await put('dropped/date=10/part', 'stays');
      await storage.removeFolder('dropped/date=1');
      await storage.removeFolder('dropped/date=1');
      expect(await listing(storage, 'dropped')).toEqual({ 'dropped/date=10/part': 5 });
    });
  });

  describe('replaceFolder', () => {
    it('makes a folder hold exactly the staged files, and touches no other', async () => {
      await put('folders/other/part', 'stays');
      await storage.replaceFolder('folders/date', await stage({ 'org=1/part': 'one', 'org=2/part': 'two' }));
      await storage.replaceFolder('folders/date', await stage({ 'org=2/part': 'changed', 'org=3/part': '' }));
      expect(await listing(storage, 'folders')).toEqual({
        'folders/other/part': 5,
        'folders/date/org=2/part': 7,
        'folders/date/org=3/part': 0,
      });
      expect(await readText(storage, 'folders/date/org=2/part')).toBe('changed');
    });

    it('empties a folder when nothing was staged', async () => {
      await storage.replaceFolder('emptied/date', await stage({ part: 'x' }));
      await storage.replaceFolder('emptied/date', await stage({}));
      await storage.replaceFolder('emptied/date', await stage({}));
      expect(await listing(storage, 'emptied')).toEqual({});
    });

    it('may be called again when all was done', async () => {
      const staged = await stage({ 'org=1/part': 'one' });
      await storage.replaceFolder('again/date', staged);
      await storage.replaceFolder('again/date', staged);
      expect(await listing(storage, 'again')).toEqual({ 'again/date/org=1/part': 3 });
    });

    it('refuses a staged file that is missing, and goes on when it is there', async () => {
      await storage.replaceFolder('gap/date', await stage({ 'org=0/part': 'zero' }));
      const { path, files } = await stage({ 'org=1/part': 'one', 'org=2/part': 'two' });
      const staged = { path, files: [...files, 'org=3/part'] };
      await expect(storage.replaceFolder('gap/date', staged)).rejects.toBeInstanceOf(StorageError);
      expect(await readText(storage, 'gap/date/org=0/part')).toBe('zero');
      await mkdir(join(path, 'org=3'));
      await writeFile(join(path, 'org=3/part'), 'three');
      await storage.replaceFolder('gap/date', staged);
      expect(await listing(storage, 'gap')).toEqual({
        'gap/date/org=1/part': 3,
        'gap/date/org=2/part': 3,
        'gap/date/org=3/part': 5,
      });
    });

    it('refuses when the whole staged folder has gone and was not published', async () => {
      await storage.replaceFolder('lost/date', await stage({ 'org=0/part': 'zero' }));
      const lost = { path: join(scratch, 'lost'), files: ['org=1/part'] };
      await expect(storage.replaceFolder('lost/date', lost)).rejects.toBeInstanceOf(StorageError);
    });

    it('replaces more objects than one page of a listing holds', { timeout: 120_000 }, async () => {
      const many = Object.fromEntries(Array.from({ length: 1050 }, (_, at) => [`org=${at}/part`, `${at}`]));
      await storage.replaceFolder('many/date', await stage(many));
      expect(Object.keys(await listing(storage, 'many'))).toHaveLength(1050);
      await storage.replaceFolder('many/date', await stage({ 'org=7/part': 'seven' }));
      expect(await listing(storage, 'many')).toEqual({ 'many/date/org=7/part': 5 });
    });
  });
}

/** A folder as a snapshot stages it. */
export async function stageFiles(scratch: string, files: Record<string, string>): Promise<StagedFolder> {
  const path = join(scratch, randomUUID());
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  }
  return { path, files: Object.keys(files) };
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

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* failing(size: number, fault: Error): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= MEGABYTE) yield Buffer.alloc(Math.min(left, MEGABYTE));
  throw fault;
}
