import { chmod, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, verify } from '../../src/index.js';
import { pathsOf, RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';

const check = async (storage: LocalStorage) =>
  (await verify({ storage, all: true })).findings.map(({ problem, path, detail }) => [problem, path, detail]);

describe('of a folder on this machine, verify reports', () => {
  it('symbolic links, also to a file or a folder with the same content', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using folder = await temporaryFolder();
    const root = join(folder.path, 'root');
    const manifest = await take(api, root);
    const paths = [
      pathsOf(manifest, 'users')[0] ?? '',
      `_runs/run_date=${RUN_DATE}`,
      '_runs/log/00000001.json',
    ];
    for (const [i, path] of paths.entries()) {
      await rename(join(root, path), join(folder.path, `${i}`));
      await symlink(join(folder.path, `${i}`), join(root, path));
    }
    const found = await check(new LocalStorage(root));
    const links = found.filter(([problem]) => problem === 'link');
    expect(links.sort()).toEqual(paths.map((path) => ['link', path, 'is a symbolic link']).sort());
  });

  it('files and folders that more people may read than this root is for', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path);
    const [part] = pathsOf(manifest, 'users');
    const wider: [string, number][] = [
      [part ?? '', 0o644],
      [`users/run_date=${RUN_DATE}`, 0o750],
      [`_runs/run_date=${RUN_DATE}/${manifest.run_id}.json`, 0o604],
      ['_runs/log/00000001.json', 0o660],
    ];
    for (const [path, mode] of wider) await chmod(join(root.path, path), mode);
    const found = await check(new LocalStorage(root.path));
    const expected = wider.map(([path, mode]) => {
      const allowed = path.endsWith(RUN_DATE) ? '0700' : '0600';
      return ['mode', path, `has mode 0${mode.toString(8)}, more than ${allowed}`];
    });
    expect(found.sort()).toEqual(expected.sort());
  });

  it('nothing of modes that the root was made with', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using folder = await temporaryFolder();
    const root = join(folder.path, 'root');
    const shared = new LocalStorage(root, { fileMode: 0o640 });
    await take(api, root, { storage: shared });
    expect(await check(shared)).toEqual([]);
    const problems = (await check(new LocalStorage(root))).map(([problem]) => problem);
    expect(new Set(problems)).toEqual(new Set(['mode']));
  });
});
