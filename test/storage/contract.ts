import { beforeAll, describe, expect, it } from 'vitest';
import { once, type Storage } from '../../src/storage/storage.js';
import { bytesOf, listing, readAll, readText, sha256 } from './objects.js';
import { putContract } from './put-contract.js';

export { listing } from './objects.js';

const MEGABYTE = 1_000_000;

/** What every storage promises; `open` gives a root that is empty. */
export function storageContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open();
  });

  const writeText = (key: string, text: string) => storage.write(key, once(bytesOf(text)));

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
      const all = Buffer.concat(pieces);
      const written = await storage.write('large/30-megabytes', from(pieces));
      expect(written).toEqual({ bytes: all.byteLength, sha256: sha256(all) });
      expect(sha256(await readAll(storage, 'large/30-megabytes'))).toBe(written.sha256);
    });

    it('take keys with an equals sign, as partitions have', async () => {
      const key = 'keys/run_date=2026-01-31/org_uuid=00000000-0000-4000-8000-000000000001/part-00000.parquet';
      await writeText(key, 'a partition');
      expect(await readText(storage, key)).toBe('a partition');
      expect(await listing(storage, 'keys')).toEqual({ [key]: 11 });
    });

    it('replace what is there', async () => {
      await writeText('replaced/object', 'the old text, which is longer');
      await writeText('replaced/object', 'new');
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
      await writeText(`failed/${name}/object`, 'old');
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

    it('takes an object that was written for one that is there', async () => {
      await writeText('created/written', 'first');
      expect(await storage.create('created/written', bytesOf('second'))).toBe(false);
    });
  });

  describe('list', () => {
    it('finds objects at any depth, with their sizes', async () => {
      const keys = ['listed/a', 'listed/b/c', 'listed/b/d/e/f'];
      for (const key of keys) await writeText(key, key);
      expect(await listing(storage, 'listed')).toEqual(
        Object.fromEntries(keys.map((key) => [key, key.length])),
      );
      expect(Object.keys(await listing(storage, 'listed/b'))).toEqual(['listed/b/c', 'listed/b/d/e/f']);
    });

    it('does not take a folder for another whose name begins with its own', async () => {
      await writeText('named/run_date=2026-01-1/object', 'its own');
      await writeText('named/run_date=2026-01-10/object', 'another');
      expect(await listing(storage, 'named/run_date=2026-01-1')).toEqual({
        'named/run_date=2026-01-1/object': 7,
      });
    });

    it('finds nothing in a folder that is not there', async () => {
      expect(await listing(storage, 'never/was')).toEqual({});
    });
  });

  describe('remove', () => {
    it('removes an object, and accepts that one is absent', async () => {
      await writeText('removed/object', 'x');
      await writeText('removed/other', 'y');
      await storage.remove('removed/object');
      await storage.remove('removed/object');
      expect(Object.keys(await listing(storage, 'removed'))).toEqual(['removed/other']);
    });
  });

  putContract(async () => storage);
}

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* failing(size: number, fault: Error): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= MEGABYTE) yield Buffer.alloc(Math.min(left, MEGABYTE));
  throw fault;
}
