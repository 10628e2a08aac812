import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkFolders, checkSameDisk } from '../../src/storage/same-disk.js';

/** A file system in memory, which every Linux has; a link to it is as good as a mount: both are another device. */
const MEMORY = '/dev/shm';
const hasOther = existsSync(MEMORY) && statSync(MEMORY).dev !== statSync(tmpdir()).dev;

let scratch: string;
let elsewhere: string;
let root: string;
let staging: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'same-disk-'));
  elsewhere = await mkdtemp(join(hasOther ? MEMORY : tmpdir(), 'same-disk-'));
});
beforeEach(async () => {
  root = join(await mkdtemp(join(scratch, 'root-')), 'lake');
  staging = join(root, '_staging');
});
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
  await rm(elsewhere, { recursive: true, force: true });
});

const TABLES = ['organizations', 'users'];

describe('a root', () => {
  it('on one disk passes, whether its folders are there or not', async () => {
    await expect(checkSameDisk(staging, root)).resolves.toBeUndefined();
    await expect(checkFolders(root, TABLES)).resolves.toBeUndefined();
    await mkdir(join(root, 'users'), { recursive: true });
    await mkdir(join(root, '_runs/log'), { recursive: true });
    await mkdir(staging);
    await expect(checkSameDisk(staging, root)).resolves.toBeUndefined();
    await expect(checkFolders(root, TABLES)).resolves.toBeUndefined();
  });

  it.each(['users', '_runs', '_runs/log', '_runs/leases'])(
    'whose folder %s is a link is refused',
    async (key) => {
      const target = await mkdtemp(join(scratch, 'target-'));
      await mkdir(dirname(join(root, key)), { recursive: true });
      await symlink(target, join(root, key));
      await expect(checkFolders(root, TABLES)).rejects.toMatchObject({
        name: 'ConfigError',
        code: 'folder_is_link',
        message: `${join(root, key)} is a symbolic link; the folders of a root must be real ones. Replace it by the folder it points to, or link the root itself.`,
      });
    },
  );

  it('that is a link itself, or holds one of a stranger, passes', async () => {
    await mkdir(root, { recursive: true });
    await symlink(scratch, join(root, 'backup'));
    const linked = join(scratch, `linked-${Math.random()}`);
    await symlink(root, linked);
    await expect(checkFolders(linked, TABLES)).resolves.toBeUndefined();
  });
});

describe.skipIf(!hasOther)('a disk of its own', () => {
  it('for the staged runs is refused, also when their folder is not there yet', async () => {
    await expect(checkSameDisk(join(elsewhere, 'new/state'), root)).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'state_on_another_disk',
      message: `${elsewhere}/new/state is on another disk than ${root}, so files cannot be published from it. Leave out --state, or choose a folder on the same disk.`,
    });
  });

  it('for the root and all that is in it is fine', async () => {
    const inMemory = join(elsewhere, 'lake');
    await mkdir(join(inMemory, 'users'), { recursive: true });
    await expect(checkSameDisk(join(inMemory, '_staging'), inMemory)).resolves.toBeUndefined();
    await expect(checkFolders(inMemory, TABLES)).resolves.toBeUndefined();
  });

  it('for a table is refused, where this machine allows a mount', async () => {
    await mkdir(join(root, 'users'), { recursive: true });
    const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', join(root, 'users')]).status === 0;
    if (!mounted) {
      console.log('not run: a table on another disk: this machine allows no mount');
      return;
    }
    try {
      await expect(checkFolders(root, TABLES)).rejects.toMatchObject({
        code: 'folder_on_another_disk',
        message: `${join(root, 'users')} is on another disk than ${root}, so files cannot be published to it. Unmount it, or choose another root: all folders of a root must be on one disk.`,
      });
    } finally {
      spawnSync('umount', [join(root, 'users')]);
    }
  });
});
