import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedFile, Storage } from '../../src/storage/storage.js';
import { bytesOf, finish, listing, readAll, readText } from './objects.js';

/** In bytes; a bucket uploads such a file in several parts. */
const LARGE = 20_000_000;

/** What becomes of a finished file before it is put; each leaves something else at its path. */
const SPOILED: Record<string, (path: string) => Promise<unknown>> = {
  'was changed': async (path) => writeFile(path, changed(await readFile(path))),
  'was truncated': async (path) => truncate(path, (await readFile(path)).byteLength - 1),
  grew: (path) => writeFile(path, 'x', { flag: 'a' }),
  'is missing': (path) => rm(path),
  'was replaced by a link to the same bytes': async (path) => {
    await rename(path, `${path}.moved`);
    await symlink(`${path}.moved`, path);
  },
  'was replaced by a link that leads nowhere': async (path) => {
    await rm(path);
    await symlink(`${path}.nowhere`, path);
  },
  'was replaced by a folder': async (path) => {
    await rm(path);
    await mkdir(path);
  },
  'was replaced by a FIFO': async (path) => {
    await rm(path);
    execFileSync('mkfifo', [path]);
  },
};

/** What every storage promises of `put`; the keys are below `put/`. */
export function putContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let scratch: string;
  beforeAll(async () => {
    storage = await open();
    scratch = await mkdtemp(join(tmpdir(), 'put-contract-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  describe('put', () => {
    it('gives files their keys, byte for byte, and leaves the local files where they are', async () => {
      const contents: Record<string, Uint8Array> = {
        'put/values/run_date=2026-01-31/org_uuid=a/part-00000-r1.csv': bytesOf('id,name\n1,Zoë\n'),
        'put/values/run_date=2026-01-31/org_uuid=b/part-00000-r1.csv': Buffer.alloc(0),
        'put/values/run_date=2026-01-31/every-byte': Uint8Array.from({ length: 1024 }, (_, at) => at),
        'put/values/run_date=2026-01-31/no-utf-8': Buffer.from([
          0xff, 0xfe, 0x0d, 0x0a, 0x00, 0xc3, 0x28, 0x1a,
        ]),
        'put/values/large': Buffer.alloc(LARGE, 'abcdefg'),
      };
      const files = await finish(scratch, contents);
      await storage.put(files);
      for (const { key, path } of files) {
        expect((await readAll(storage, key)).equals(contents[key] as Uint8Array)).toBe(true);
        expect((await readFile(path)).equals(contents[key] as Uint8Array)).toBe(true);
      }
      expect(await listing(storage, 'put/values')).toEqual(
        Object.fromEntries(files.map(({ key, bytes }) => [key, bytes])),
      );
    });

    it('may give a file another key later', async () => {
      const [file] = (await finish(scratch, { 'put/again/part-r1': 'the same' })) as [FinishedFile];
      await storage.put([file]);
      await storage.put([{ ...file, key: 'put/again/part-r2' }]);
      expect(await readText(storage, 'put/again/part-r1')).toBe('the same');
      expect(await readText(storage, 'put/again/part-r2')).toBe('the same');
    });

    it('of nothing does nothing', async () => {
      await expect(storage.put([])).resolves.toBeUndefined();
    });

    it.each(Object.entries(SPOILED))('refuses a file that %s', async (name, spoil) => {
      const folder = `put/spoiled/${name.replaceAll(' ', '-')}`;
      const [file] = (await finish(scratch, { [`${folder}/part`]: 'the bytes' })) as [FinishedFile];
      await spoil(file.path);
      await expect(storage.put([file])).rejects.toMatchObject({
        name: 'StorageError',
        code: 'file_differs',
        message: expect.stringContaining(`${file.path} is not the file that was written: `),
      });
      expect(await listing(storage, folder)).toEqual({});
    });

    it('refuses a large file of which only the last byte was changed', async () => {
      const [file] = (await finish(scratch, { 'put/last/large': Buffer.alloc(LARGE) })) as [FinishedFile];
      await writeFile(file.path, changed(Buffer.alloc(LARGE)));
      await expect(storage.put([file])).rejects.toMatchObject({ code: 'file_differs' });
      expect(await listing(storage, 'put/last')).toEqual({});
    });

    it('stops for a signal, with its reason', async () => {
      const files = await finish(scratch, { 'put/stopped/a': 'a', 'put/stopped/b': 'b' });
      const reason = new Error('stopped');
      await expect(storage.put(files, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(await listing(storage, 'put/stopped')).toEqual({});
    });

    it('takes more files than one page of a listing holds', { timeout: 120_000 }, async () => {
      const keys = Array.from(
        { length: 1050 },
        (_, at) => `put/many/run_date=2026-01-31/org_uuid=${at}/part`,
      );
      await storage.put(await finish(scratch, Object.fromEntries(keys.map((key) => [key, key]))));
      expect(await listing(storage, 'put/many')).toEqual(
        Object.fromEntries(keys.map((key) => [key, key.length])),
      );
      expect(await readText(storage, keys[1049] as string)).toBe(keys[1049]);
    });
  });
}

/** Of the same size. */
function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.byteLength - 1] = (copy.at(-1) as number) ^ 1;
  return copy;
}
