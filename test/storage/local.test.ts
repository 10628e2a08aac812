import { mkdir, mkdtemp, open, readdir, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/storage/local.js';
import { once } from '../../src/storage/storage.js';
import { storageContract } from './contract.js';
import { bytesOf, finish, listing, readText } from './objects.js';

let scratch: string;
let root: string;
let storage: LocalStorage;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-storage-'));
});
beforeEach(async () => {
  root = await mkdtemp(join(scratch, 'root-'));
  storage = new LocalStorage(root);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const writeText = (key: string, text: string) => storage.write(key, once(bytesOf(text)));

describe('a local folder', () => {
  storageContract(async () => new LocalStorage(join(scratch, 'contract')));

  it('has no temporary file after anything that was done in it, also what failed', async () => {
    await writeText('users/a', 'x');
    await storage.create('users/b', bytesOf('x'));
    await storage.create('users/b', bytesOf('x'));
    async function* failing() {
      yield bytesOf('x');
      throw new Error('the source failed');
    }
    await expect(storage.write('users/c', failing())).rejects.toThrow('the source failed');
    expect(await readdir(join(root, '_staging/tmp'))).toEqual([]);
  });

  it('takes a write although its folder is removed, empty, during it', async () => {
    async function* removing() {
      yield bytesOf('x');
      await rmdir(join(root, 'users/run_date=2026-01-31'));
      await rmdir(join(root, 'users'));
    }
    await storage.write('users/run_date=2026-01-31/part', removing());
    expect(await readText(storage, 'users/run_date=2026-01-31/part')).toBe('x');
  });

  it('is not made again for a staged file when somebody took it', async () => {
    const taken = new LocalStorage(join(root, '_staging/run'));
    await expect(taken.stage('users/part', once(bytesOf('x')))).rejects.toMatchObject({
      name: 'StorageError',
    });
    expect(await readdir(root)).toEqual([]);
  });

  it('keeps a staged file from who still writes to the one that was there before', async () => {
    await storage.stage('part', once(bytesOf('first')));
    const held = await open(join(root, 'part'), 'r+');
    await storage.stage('part', once(bytesOf('second')));
    await held.write('late!');
    await held.close();
    expect(await readText(storage, 'part')).toBe('second');
  });
});

describe('remove', () => {
  const day = 'users/run_date=2026-01-31';

  it('takes the folders of an organisation and of a day with their last file, and not the table', async () => {
    for (const key of [`${day}/org_uuid=a/part`, `${day}/org_uuid=b/part`]) await writeText(key, 'x');
    await storage.remove(`${day}/org_uuid=a/part`);
    expect(await readdir(join(root, day))).toEqual(['org_uuid=b']);
    await storage.remove(`${day}/org_uuid=b/part`);
    expect(await readdir(join(root, 'users'))).toEqual([]);
  });

  it('takes no folder that has another name, or holds what is not ours', async () => {
    await writeText('users/2026/run_date=2026-01-31/part', 'x');
    await storage.remove('users/2026/run_date=2026-01-31/part');
    expect(await readdir(join(root, 'users'))).toEqual(['2026']);
    await writeText('tenant=a/part', 'x');
    await storage.remove('tenant=a/part');
    expect(await readdir(root)).toContain('tenant=a');
    await writeText(`${day}/part`, 'x');
    await mkdir(join(root, day, 'notes'));
    await storage.remove(`${day}/part`);
    expect(await readdir(join(root, day))).toEqual(['notes']);
  });

  it('finishes what an interrupted one began', async () => {
    await mkdir(join(root, day, 'org_uuid=a'), { recursive: true });
    await storage.remove(`${day}/org_uuid=a/part`);
    await mkdir(join(root, day), { recursive: true });
    await storage.remove(`${day}/org_uuid=a/part`);
    expect(await readdir(join(root, 'users'))).toEqual([]);
  });

  it('removes a link, not what it leads to, and no folder through a link', async () => {
    await writeText(`${day}/part`, 'x');
    await symlink(join(root, day, 'part'), join(root, 'users/link'));
    await symlink(join(root, day), join(root, 'users/run_date=2026-02-01'));
    await storage.remove('users/link');
    await storage.remove('users/run_date=2026-02-01/absent');
    expect((await readdir(join(root, 'users'))).sort()).toEqual([
      'run_date=2026-01-31',
      'run_date=2026-02-01',
    ]);
    expect(await readText(storage, `${day}/part`)).toBe('x');
  });

  it('may run while others write, put and remove in the same folders', async () => {
    const other = new LocalStorage(root);
    const rounds = Array.from({ length: 60 }, (_, at) => at);
    const files = await finish(scratch, Object.fromEntries(rounds.map((at) => [`${day}/put-${at}`, 'x'])));
    const writing = async () => {
      for (const at of rounds) {
        await other.write(`${day}/written`, once(bytesOf(`${at}`)));
        await other.remove(`${day}/written`);
      }
    };
    const putting = async () => {
      for (const file of files) {
        await storage.put([file]);
        await storage.remove(file.key);
      }
    };
    const creating = async () => {
      for (const at of rounds) {
        expect(await storage.create(`${day}/created-${at}`, bytesOf('x'))).toBe(true);
        await other.remove(`${day}/created-${at}`);
      }
    };
    await Promise.all([writing(), putting(), creating()]);
    expect(await readdir(join(root, 'users'))).toEqual([]);
  });
});

describe('list', () => {
  beforeEach(async () => {
    await mkdir(join(root, '../foreign/deep'), { recursive: true });
    await writeFile(join(root, '../foreign/deep/file'), 'not ours');
    await writeText('users/run_date=2026-01-31/part', 'x');
  });
  const foreign = () => join(root, '../foreign');

  it('does not descend through a link to a folder, wherever the link is', async () => {
    await symlink(foreign(), join(root, 'users/run_date=2026-02-01'));
    await symlink(foreign(), join(root, 'groups'));
    expect(Object.keys(await listing(storage, 'users'))).toEqual(['users/run_date=2026-01-31/part']);
    expect(Object.keys(await listing(storage, ''))).toEqual(['users/run_date=2026-01-31/part']);
    expect(await listing(storage, 'users/run_date=2026-02-01')).toEqual({});
    expect(await listing(storage, 'groups')).toEqual({});
    expect(await listing(storage, 'groups/deep')).toEqual({});
  });

  it('finds a link to a file, with the size of the file, and not one that leads nowhere', async () => {
    await symlink(join(foreign(), 'deep/file'), join(root, 'users/link'));
    await symlink(join(foreign(), 'absent'), join(root, 'users/nowhere'));
    expect(await listing(storage, 'users')).toEqual({
      'users/link': 8,
      'users/run_date=2026-01-31/part': 1,
    });
  });

  it('works in a root that is a link itself', async () => {
    await symlink(root, `${root}-link`);
    expect(await listing(new LocalStorage(`${root}-link`), 'users')).toEqual({
      'users/run_date=2026-01-31/part': 1,
    });
  });
});
