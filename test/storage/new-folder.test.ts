import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thisProcess } from '../../src/process-identity.js';
import { withNewFolder } from '../../src/storage/new-folder.js';
import { once } from '../../src/storage/storage.js';
import { temporaryFolder } from '../run/support/tree.js';

const UUID = '00000000-0000-4000-8000-000000000000';
const hello = () => once(Buffer.from('hello'));

describe('a new folder', () => {
  it('appears with all of its files, in folders that are made for it', async () => {
    await using root = await temporaryFolder();
    const path = join(root.path, 'a', 'b');
    const result = await withNewFolder({ path, fileMode: 0o640 }, async (folder) => {
      await folder.stage('one', hello());
      await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
      const [name = ''] = await readdir(join(root.path, 'a'));
      expect((await stat(join(root.path, 'a', name))).mode & 0o777).toBe(0o700);
      await folder.stage('two', hello());
      return 7;
    });
    expect(result).toBe(7);
    expect(await readdir(join(root.path, 'a'))).toEqual(['b']);
    expect((await readdir(path)).sort()).toEqual(['one', 'two']);
    expect(await readFile(join(path, 'one'), 'utf8')).toBe('hello');
    expect((await stat(join(path, 'one'))).mode & 0o777).toBe(0o640);
    expect((await stat(path)).mode & 0o777).toBe(0o750);
  });

  it('does not appear when the work fails, and leaves nothing beside it', async () => {
    await using root = await temporaryFolder();
    const path = join(root.path, 'pack');
    const work = withNewFolder({ path, fileMode: 0o600 }, async (folder) => {
      await folder.stage('one', hello());
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await readdir(root.path)).toEqual([]);
  });

  it('takes the place of an empty folder, and of nothing else', async () => {
    await using root = await temporaryFolder();
    const at = (name: string) => join(root.path, name);
    for (const name of ['empty', 'full']) await mkdir(at(name));
    await writeFile(at('full/file'), 'x');
    await writeFile(at('file'), 'x');
    await symlink(at('empty'), at('link'));
    const make = (name: string) =>
      withNewFolder(
        { path: at(name), fileMode: 0o600 },
        async (folder) => void (await folder.stage('one', hello())),
      );
    for (const name of ['full', 'file', 'link'])
      await expect(make(name)).rejects.toMatchObject({ code: 'folder_not_empty', exitCode: 2 });
    expect((await readdir(root.path)).sort()).toEqual(['empty', 'file', 'full', 'link']);
    await make('empty');
    expect(await readdir(at('empty'))).toEqual(['one']);
  });

  it('does not replace what somebody has put there meanwhile', async () => {
    await using root = await temporaryFolder();
    const path = join(root.path, 'pack');
    const work = withNewFolder({ path, fileMode: 0o600 }, async (folder) => {
      await folder.stage('one', hello());
      await mkdir(path);
      await writeFile(join(path, 'theirs'), 'x');
    });
    await expect(work).rejects.toMatchObject({ code: 'folder_not_empty' });
    expect(await readdir(root.path)).toEqual(['pack']);
    expect(await readdir(path)).toEqual(['theirs']);
  });

  it('removes what a dead process left of it, and nothing of others', async () => {
    await using root = await temporaryFolder();
    const [pid, start, space] = thisProcess.split('.');
    const dead = `.pack.${pid}.${Number(start) + 1}.${space}.${UUID}.tmp`;
    const others = [
      `.pack.${thisProcess}.${UUID}.tmp`,
      `.other.${pid}.${Number(start) + 1}.${space}.${UUID}.tmp`,
      `.pack.${pid}.${Number(start) + 1}.${'0'.repeat(12)}.${UUID}.tmp`,
      '.pack.tmp',
    ];
    for (const name of [dead, ...others]) await mkdir(join(root.path, name));
    await withNewFolder({ path: join(root.path, 'pack'), fileMode: 0o600 }, async () => {});
    expect((await readdir(root.path)).sort()).toEqual([...others, 'pack'].sort());
  });
});
