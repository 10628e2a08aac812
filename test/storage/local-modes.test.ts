import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/storage/local.js';
import { once } from '../../src/storage/storage.js';
import { bytesOf, finish } from './objects.js';

let scratch: string;
let root: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-modes-'));
});
beforeEach(async () => {
  root = join(await mkdtemp(join(scratch, 'modes-')), 'new/lake');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);

/** Of everything below a folder, and of itself, by key. */
async function modesBelow(folder: string): Promise<Record<string, string>> {
  const keys = ['.', ...(await readdir(folder, { recursive: true }))].sort();
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, await modeOf(join(folder, key))] as const)),
  );
}

async function withUmask<T>(mask: number, action: () => Promise<T>): Promise<T> {
  const before = process.umask(mask);
  try {
    return await action();
  } finally {
    process.umask(before);
  }
}

async function useAll(storage: LocalStorage): Promise<void> {
  const files = await finish(scratch, {
    'users/run_date=2026-01-31/org_uuid=a/part': 'x',
    'users/run_date=2026-01-31/org_uuid=b/part': 'x',
  });
  for (const { path } of files.slice(1)) await chmod(path, 0o644);
  await storage.put(files);
  await storage.create('_runs/log/1.json', bytesOf('x'));
  await storage.write('_runs/run_date=2026-01-31/manifest.json', once(bytesOf('x')));
  await storage.stage('_staging/run/journal', once(bytesOf('x')));
}

const FOLDERS = [
  '.',
  '_runs',
  '_runs/log',
  '_runs/run_date=2026-01-31',
  'users',
  'users/run_date=2026-01-31',
  'users/run_date=2026-01-31/org_uuid=a',
  'users/run_date=2026-01-31/org_uuid=b',
];
const FILES = [
  '_runs/log/1.json',
  '_runs/run_date=2026-01-31/manifest.json',
  'users/run_date=2026-01-31/org_uuid=a/part',
  'users/run_date=2026-01-31/org_uuid=b/part',
];
const STAGED = {
  _staging: '700',
  '_staging/tmp': '700',
  '_staging/run': '700',
  '_staging/run/journal': '600',
};
const all = (keys: readonly string[], mode: string) => Object.fromEntries(keys.map((key) => [key, mode]));

describe.each([0, 0o022, 0o077])('under the umask %o', (umask) => {
  it.each([
    [undefined, '600', '700'],
    [0o640, '640', '750'],
    [0o644, '644', '755'],
    [0o660, '660', '770'],
  ])('file mode %o gives files %s and folders %s, the root among them', async (fileMode, file, folder) => {
    const options = fileMode === undefined ? {} : { fileMode };
    await withUmask(umask, () => useAll(new LocalStorage(root, options)));
    expect(await modesBelow(root)).toEqual({ ...all(FOLDERS, folder), ...all(FILES, file), ...STAGED });
    expect(await modeOf(join(root, '..'))).toBe(folder);
  });

  it('gives the root its mode whatever is done first', async () => {
    await withUmask(umask, async () => {
      await new LocalStorage(`${root}-1`, { fileMode: 0o640 }).write('_staging/a', once(bytesOf('x')));
      await new LocalStorage(`${root}-2`, { fileMode: 0o640 }).create('a', bytesOf('x'));
      await new LocalStorage(`${root}-3`, { fileMode: 0o640 }).put(await finish(scratch, { a: 'x' }));
    });
    for (const at of [1, 2, 3]) expect(await modeOf(`${root}-${at}`)).toBe('750');
  });

  it('shows nothing of a file that is being written', async () => {
    const storage = new LocalStorage(root, { fileMode: 0o644 });
    let seen: Record<string, string> = {};
    async function* looking() {
      yield bytesOf('x');
      seen = await modesBelow(join(root, '_staging'));
      yield bytesOf('y');
    }
    await withUmask(umask, () => storage.write('users/part', looking()));
    expect(Object.values(seen)).toEqual(['700', '700', '600']);
  });
});

describe('a folder that was there before', () => {
  it('keeps its mode, and so does the root', async () => {
    await mkdir(join(root, 'users/run_date=2026-01-31'), { recursive: true });
    const existing = { '.': 0o711, users: 0o705, 'users/run_date=2026-01-31': 0o770 };
    for (const [key, mode] of Object.entries(existing)) await chmod(join(root, key), mode);
    await useAll(new LocalStorage(root, { fileMode: 0o640 }));
    const modes = await modesBelow(root);
    for (const [key, mode] of Object.entries(existing)) expect(modes[key]).toBe(mode.toString(8));
    expect(modes['users/run_date=2026-01-31/org_uuid=a']).toBe('750');
  });

  it('gives its set-group-ID bit to the folders that are made in it', async () => {
    await mkdir(root, { recursive: true });
    await chmod(root, 0o2750);
    await withUmask(0o077, () => useAll(new LocalStorage(root, { fileMode: 0o640 })));
    expect(await modeOf(join(root, 'users/run_date=2026-01-31/org_uuid=a'))).toBe('2750');
  });
});
