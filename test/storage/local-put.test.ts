import { appendFile, link, mkdtemp, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/storage/local.js';
import { type Put, putFiles } from '../../src/storage/local-put.js';
import { makeFolder } from '../../src/storage/make-folder.js';
import { type FinishedFile, once } from '../../src/storage/storage.js';
import { bytesOf, finish, listing, readText } from './objects.js';

let scratch: string;
let root: string;
let storage: LocalStorage;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-put-'));
});
beforeEach(async () => {
  root = await mkdtemp(join(scratch, 'root-'));
  storage = new LocalStorage(root);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const day = 'users/run_date=2026-01-31';
const orgs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${day}/org_uuid=${at}/part`, `of ${at}`]));

/** Puts with a link that does something else first, or fails. */
const putWith = (files: readonly FinishedFile[], link: Put['link'], signal?: AbortSignal) =>
  putFiles(files, { root: { path: root, fileMode: 0o600, folderMode: 0o700 }, link, signal });

const failingWith = (code: string) => () =>
  Promise.reject(Object.assign(new Error(code), { code, syscall: 'link' }));

describe('put into a local folder', () => {
  it('links, so that nothing is written twice', async () => {
    const files = await finish(scratch, orgs(3));
    await storage.put(files);
    for (const { key, path } of files) {
      expect((await stat(join(root, key))).ino).toBe((await stat(path)).ino);
    }
  });

  it.each(['put', 'create'] as const)('refuses a name that %s has given, and leaves its file', async (by) => {
    const [first, second] = (await finish(scratch, { 'users/part': 'first', 'users/other': 'second' })) as [
      FinishedFile,
      FinishedFile,
    ];
    if (by === 'put') await storage.put([first]);
    else await storage.create('users/part', bytesOf('first'));
    await expect(storage.put([{ ...second, key: 'users/part' }])).rejects.toMatchObject({
      name: 'StorageError',
      code: 'name_taken',
      message: expect.stringContaining(`${join(root, 'users/part')} exists already`),
    });
    expect(await readText(storage, 'users/part')).toBe('first');
  });

  it('lets one of two win that put different files under one name', async () => {
    const [a, b] = (await finish(scratch, { a: 'a', b: 'b' })) as [FinishedFile, FinishedFile];
    const ended = await Promise.allSettled(
      [a, b].map((file) => new LocalStorage(root).put([{ ...file, key: 'users/part' }])),
    );
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await readText(storage, 'users/part')).toBe(ended[0]?.status === 'fulfilled' ? 'a' : 'b');
  });

  it('makes no name, and no folder, when one file of many differs', async () => {
    const files = await finish(scratch, orgs(50));
    await writeFile((files[37] as FinishedFile).path, 'xx 37');
    await expect(storage.put(files)).rejects.toMatchObject({ code: 'file_differs' });
    expect(await readdir(root)).toEqual([]);
  });

  it.each([
    ['with other bytes, as many', (path: string) => writeFile(path, 'xxxxx')],
    ['with more bytes', (path: string) => appendFile(path, '!')],
    [
      'replaced by another',
      (path: string) => writeFile(`${path}.other`, 'xxxxx').then(() => rename(`${path}.other`, path)),
    ],
    ['gone', (path: string) => rm(path)],
  ] as const)('refuses a file that this process has staged, and that is then %s', async (_, change) => {
    const staging = new LocalStorage(join(root, '_staging/run'));
    await makeFolder(staging.localRoot, 0o700);
    const files = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const written = await staging.stage(`ndjson/${name}`, once(bytesOf('bytes')));
        return staging.finished(`ndjson/${name}`, { key: `users/${name}`, ...written });
      }),
    );
    const [, second] = files as [FinishedFile, FinishedFile];
    await change(second.path);
    await expect(storage.put(files)).rejects.toMatchObject({ code: 'file_differs' });
    expect(await readdir(root)).toEqual(['_staging']);
    await rm(second.path, { force: true });
    await staging.stage('ndjson/b', once(bytesOf('bytes')));
    await storage.put(files);
    expect(await readText(storage, 'users/b')).toBe('bytes');
  });

  it.each([
    ['replaced by another', (path: string) => rename(`${path}.other`, path)],
    ['written to', (path: string) => writeFile(path, 'xx 0')],
    ['removed', (path: string) => rm(path)],
  ])('refuses a file that is %s after it was checked', async (_, spoil) => {
    const files = (await finish(scratch, orgs(1))) as [FinishedFile];
    const [{ path }] = files;
    await writeFile(`${path}.other`, 'xx 0');
    const attempt = putWith(files, async (from, to) => {
      await spoil(path);
      await link(from, to);
    });
    await expect(attempt).rejects.toMatchObject({ code: 'file_differs' });
    expect(await listing(storage, '')).toEqual({});
  });

  it('looks at a file again just before it gets its name', async () => {
    const files = (await finish(scratch, orgs(20))) as FinishedFile[];
    const linked: string[] = [];
    const attempt = putWith(files, async (from, to) => {
      for (const { path } of files) await writeFile(path, 'xx 0');
      linked.push(`${from}`);
      await link(from, to);
    });
    await expect(attempt).rejects.toMatchObject({ code: 'file_differs' });
    expect(linked.length).toBeLessThanOrEqual(16); // those that were on their way
    expect(await listing(storage, '')).toEqual({});
  });

  it('makes a folder again that somebody else removes, empty, before its file is there', async () => {
    const files = await finish(scratch, orgs(3));
    let left = 5;
    await putWith(files, async (from, to) => {
      if (left-- > 0) await rmdir(dirname(`${to}`)).catch(() => {});
      await link(from, to);
    });
    expect(Object.keys(await listing(storage, 'users'))).toEqual(files.map(({ key }) => key));
  });

  it('gives up when its folder is removed again and again', async () => {
    const [file] = (await finish(scratch, orgs(1))) as [FinishedFile];
    const attempt = putWith([file], async (from, to) => {
      await rmdir(dirname(`${to}`));
      await link(from, to);
    });
    await expect(attempt).rejects.toMatchObject({ name: 'StorageError', code: 'storage_enoent' });
  });

  it('stops between two files for a signal, and changes no file that is there', async () => {
    const files = await finish(scratch, orgs(100));
    const stop = new AbortController();
    const reason = new Error('stopped');
    let links = 0;
    const attempt = putWith(
      files,
      async (from, to) => {
        if (++links === 5) stop.abort(reason);
        await link(from, to);
      },
      stop.signal,
    );
    await expect(attempt).rejects.toBe(reason);
    expect(links).toBeLessThanOrEqual(5 + 16);
    expect(Object.keys(await listing(storage, 'users'))).toHaveLength(links);
  });
});

describe.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'])('put where a link fails with %s', (code) => {
  it('copies, and keeps no temporary file', async () => {
    const files = await finish(scratch, orgs(3));
    await putWith(files, failingWith(code));
    for (const { key, path } of files) {
      expect(await readText(storage, key)).toBe(`of ${key.slice(key.indexOf('uuid=') + 5, -5)}`);
      const { ino, mode } = await stat(join(root, key));
      expect(ino).not.toBe((await stat(path)).ino);
      expect(mode & 0o777).toBe(0o600);
    }
    expect(await readdir(join(root, '_staging/tmp'))).toEqual([]);
  });

  it('refuses a name that is taken, and a file that was changed since it was checked', async () => {
    const [file] = (await finish(scratch, orgs(1))) as [FinishedFile];
    await storage.create(file.key, bytesOf('first'));
    await expect(putWith([file], failingWith(code))).rejects.toMatchObject({ code: 'name_taken' });
    expect(await readText(storage, file.key)).toBe('first');
    await storage.remove(file.key);
    const attempt = putWith([file], async () => {
      await writeFile(file.path, 'xx 0');
      await failingWith(code)();
    });
    await expect(attempt).rejects.toMatchObject({ code: 'file_differs' });
    expect(await listing(storage, '')).toEqual({});
  });
});

it('put reports a disk that is another one', async () => {
  const attempt = putWith(await finish(scratch, orgs(1)), failingWith('EXDEV'));
  await expect(attempt).rejects.toMatchObject({
    code: 'storage_exdev',
    message: expect.stringContaining('on another disk'),
  });
});
