import { existsSync, readdirSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalStorage } from '../../src/storage/local.js';
import { once } from '../../src/storage/storage.js';
import { bytesOf, finish } from './objects.js';

/** One fsync, as it was asked of the system. */
interface Synced {
  inode: number;
  /** Of a folder: what was in it at that moment. Of a file: undefined. */
  names: readonly string[] | undefined;
  /** The watched files that had their names at that moment. */
  named: readonly string[];
}

let scratch: string;
let root: string;
let syncs: Synced[];
let watched: string[];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-durability-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

beforeEach(async () => {
  root = join(await mkdtemp(join(scratch, 'parent-')), 'new/lake');
  syncs = [];
  watched = [];
  const handle = await open(scratch, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { sync } = prototype;
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const found = await this.stat();
    const folder = foldersOf(dirname(dirname(root))).find((path) => statSync(path).ino === found.ino);
    const names = folder === undefined ? undefined : readdirSync(folder);
    syncs.push({ inode: found.ino, names, named: watched.filter((path) => existsSync(path)) });
    await sync.call(this);
  });
  vi.spyOn(prototype, 'datasync').mockRejectedValue(new Error('not counted here'));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const foldersOf = (top: string): string[] => [
  top,
  ...readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name)),
];

/** Paths of the folders that were synced, in order; `.` is the root. */
function syncedFolders(): string[] {
  const byInode = new Map(foldersOf(dirname(dirname(root))).map((path) => [statSync(path).ino, path]));
  return syncs
    .filter(({ names }) => names !== undefined)
    .map(({ inode }) => relative(root, byInode.get(inode) ?? '') || '.');
}

const depth = (folder: string): number => join(root, folder).split('/').length;

describe('put', () => {
  const keys = [
    'users/run_date=2026-01-31/org_uuid=a/part',
    'users/run_date=2026-01-31/org_uuid=b/part-1',
    'users/run_date=2026-01-31/org_uuid=b/part-2',
    'organizations/run_date=2026-01-31/part',
  ];
  const folders = [
    'users/run_date=2026-01-31/org_uuid=a',
    'users/run_date=2026-01-31/org_uuid=b',
    'users/run_date=2026-01-31',
    'organizations/run_date=2026-01-31',
    'users',
    'organizations',
    '.',
  ];

  const put = async () => {
    const files = await finish(scratch, Object.fromEntries(keys.map((key) => [key, key])));
    watched = keys.map((key) => join(root, key));
    await new LocalStorage(root).put(files);
    return files;
  };

  it('syncs each file before the first gets its name', async () => {
    const files = await put();
    const ofFiles = syncs.slice(0, files.length);
    expect(ofFiles.map(({ inode }) => inode).sort()).toEqual(
      files.map(({ path }) => statSync(path).ino).sort(),
    );
    expect(ofFiles.flatMap(({ named }) => named)).toEqual([]);
  });

  it('syncs, once and when all names are there, every folder up to the root and the parents of those it made', async () => {
    await put();
    expect(syncedFolders().sort()).toEqual([...folders, '..', '../..'].sort());
    for (const { named } of syncs.slice(keys.length)) expect(named).toEqual(watched);
  });

  it('goes from the deepest folder up', async () => {
    await put();
    const depths = syncedFolders().map(depth);
    expect(depths).toEqual([...depths].sort((a, b) => b - a));
  });

  it('syncs also folders that were there: another process may have made them a moment ago', async () => {
    await mkdir(join(root, 'users/run_date=2026-01-31'), { recursive: true });
    await put();
    expect(syncedFolders().sort()).toEqual([...folders].sort());
  });
});

describe.each([
  ['write', (storage: LocalStorage, key: string) => storage.write(key, once(bytesOf('x')))],
  ['create', (storage: LocalStorage, key: string) => storage.create(key, bytesOf('x'))],
])('%s', (_, make) => {
  it('syncs the file before it has its name, and then the folders that it made and their parents', async () => {
    watched = [join(root, '_runs/log/1.json')];
    await make(new LocalStorage(root), '_runs/log/1.json');
    const [file, ...rest] = syncs as [Synced, ...Synced[]];
    expect(file).toEqual({ inode: statSync(watched[0] as string).ino, names: undefined, named: [] });
    expect(syncedFolders()).toEqual(['_runs/log', '_runs', '.', '..', '../..']);
    expect(rest[0]?.names).toEqual(['1.json']);
    expect(rest).toHaveLength(5);
  });

  it('syncs the folders up to the root when all were there', async () => {
    const storage = new LocalStorage(root);
    await make(storage, '_runs/log/1.json');
    syncs = [];
    await make(storage, '_runs/log/2.json');
    expect(syncedFolders()).toEqual(['_runs/log', '_runs', '.']);
    expect(syncs).toHaveLength(4);
  });
});

describe('create', () => {
  it('that comes second makes the name of the first durable, before it says that the key is taken', async () => {
    await new LocalStorage(root).create('_runs/log/1.json', bytesOf('first'));
    syncs = [];
    expect(await new LocalStorage(root).create('_runs/log/1.json', bytesOf('second'))).toBe(false);
    expect(syncedFolders()).toEqual(['_runs/log', '_runs', '.']);
  });
});

describe('stage', () => {
  it('syncs the file and no folder', async () => {
    await mkdir(root, { recursive: true });
    await new LocalStorage(root).stage('users/run_date=2026-01-31/part', once(bytesOf('x')));
    const { ino: inode } = statSync(join(root, 'users/run_date=2026-01-31/part'));
    expect(syncs).toEqual([{ inode, names: undefined, named: [] }]);
  });
});
