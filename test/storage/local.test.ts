import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/storage/local.js';
import { once } from '../../src/storage/storage.js';
import { bytesOf, listing, storageContract } from './contract.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-storage-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('a local folder', () => {
  storageContract(async () => new LocalStorage(join(scratch, 'contract')));
});

describe('a local folder whose replacement was killed', () => {
  let storage: LocalStorage;
  let root: string;
  let staged: { path: string; files: string[] };
  let published: string;

  beforeEach(async () => {
    root = await mkdtemp(join(scratch, 'killed-'));
    storage = new LocalStorage(root);
    published = join(root, 'users/run_date=2026-01-31');
    staged = { path: join(root, '_staging/run/users'), files: ['part'] };
    await storage.write('users/run_date=2026-01-31/old', once(bytesOf('old')));
    await mkdir(staged.path, { recursive: true });
    await writeFile(join(staged.path, 'part'), 'new');
  });

  const expectReplaced = async (): Promise<void> => {
    await storage.replaceFolder('users/run_date=2026-01-31', staged);
    expect(await listing(storage, 'users')).toEqual({ 'users/run_date=2026-01-31/part': 3 });
    expect(await readdir(join(root, '_staging/run'))).toEqual([]);
  };

  it('before the first rename, goes on', expectReplaced);

  it('between the two renames, goes on', async () => {
    await rename(published, `${staged.path}.replaced`);
    await expectReplaced();
  });

  it('after the second rename, goes on', async () => {
    await rename(published, `${staged.path}.replaced`);
    await rename(staged.path, published);
    await expectReplaced();
  });
});
