import { appendFile, mkdir, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, readLog, readManifest, verify } from '../../src/index.js';
import { askedSince } from './support/interrupted.js';
import {
  dataBelow,
  filesBelow,
  memberships,
  RUN_DATE,
  rowsOf,
  servedMemberships,
  stagedRuns,
  take,
  temporaryFolder,
  uuidOf,
} from './support/tree.js';

/** A run that has read everything, and that a guard does not let be published. @returns one of its staged files */
async function refused(api: FixtureApi, large: FixtureApi, root: string): Promise<string> {
  await take(large, root, { runDate: '2026-11-22' });
  await expect(take(api, root)).rejects.toMatchObject({ code: 'shrink_refused' });
  const staged = Object.keys(await filesBelow(join(root, '_staging')));
  return join(root, '_staging', staged.find((path) => path.includes('org_uuid=')) ?? '');
}

describe('a staged run', () => {
  it('has a file for each file of the root, named by its path there, without the run id', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using large = await startFixtureApi({ sizes: [100] });
    await using root = await temporaryFolder();
    await refused(api, large, root.path);
    const [run] = await stagedRuns(join(root.path, '_staging'));
    expect(run).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}\.1$/);
    expect(Object.keys(await filesBelow(join(root.path, '_staging', run ?? '')))).toEqual([
      'journal.ndjson',
      `ndjson/organizations+run_date=${RUN_DATE}+part-00000.ndjson`,
      `ndjson/users+run_date=${RUN_DATE}+org_uuid=${uuidOf(api, 0)}+part-00000.ndjson`,
      'refused',
      'run.json',
    ]);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    [
      'was changed',
      async (path) => writeFile(path, (await readFile(path, 'utf8')).replace('user_', 'USER_')),
    ],
    ['was truncated', (path) => truncate(path, 20)],
    ['has grown', (path) => appendFile(path, '{}\n')],
    ['is missing', (path) => rm(path)],
    [
      'was replaced by a link to the same bytes',
      async (path) => {
        const elsewhere = join(path, '../../../../../../elsewhere');
        await writeFile(elsewhere, await readFile(path));
        await rm(path);
        await symlink(elsewhere, path);
      },
    ],
    [
      'was replaced by a folder',
      async (path) => {
        await rm(path);
        await mkdir(path);
      },
    ],
  ])('of which a file %s is not published, and nothing else of it is', async (_, change) => {
    await using api = await startFixtureApi({ sizes: [2, 1] });
    await using large = await startFixtureApi({ sizes: [100] });
    await using root = await temporaryFolder();
    await change(await refused(api, large, root.path));
    const before = await dataBelow(root.path);
    const storage = new LocalStorage(root.path);
    const forced = take(api, root.path, { force: true });
    await expect(forced).rejects.toMatchObject({ name: 'StorageError', code: 'file_differs' });
    expect(await readManifest(storage, RUN_DATE)).toBeUndefined();
    expect(await dataBelow(root.path)).toEqual(before);
    const manifest = await take(api, root.path, { force: true, fresh: true });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect((await verify({ storage, all: true })).findings).toEqual([]);
  });

  it('without a readable header is nobody’s: it keeps no run from its work, and stays where it is', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const path = join(root.path, '_staging/20261123T000000Z-00000000.1/run.json');
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '{"run_id":"r');
    expect(await take(api, root.path)).toMatchObject({ status: 'complete' });
    expect(await readFile(path, 'utf8')).toBe('{"run_id":"r');
  });
});

describe('a disk that is full in the middle of a journal line', () => {
  it('loses that list only: what was finished before is kept, and the same command resumes', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6, 7, 8, 9] });
    await using root = await temporaryFolder();
    const handle = await open(import.meta.filename);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const append = prototype.appendFile;
    let lines = 0;
    const spy = vi.spyOn(prototype, 'appendFile').mockImplementation(async function (
      this: typeof handle,
      text,
    ) {
      const isSlice = String(text).startsWith('{"type":"slice"');
      if (!isSlice || ++lines !== 3) return await append.call(this, text);
      await append.call(this, String(text).slice(0, 40));
      throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
    });
    const full = take(api, root.path, { concurrency: 4 });
    await expect(full).rejects.toMatchObject({ code: 'storage_enospc' });
    await expect(full).rejects.toThrow('make room, then run the same command again');
    spy.mockRestore();
    const asked = api.requests.length;
    const manifest = await take(api, root.path);
    expect(manifest.attempts).toHaveLength(2);
    expect(askedSince(api, asked)).toHaveLength(4); // organisations were line 1, and one list of users was line 2
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });
});

describe('a run that ended between its commit and the end of its work', () => {
  /** A root whose user dies when the log entry has been made. */
  class Dying extends LocalStorage {
    override async create(key: string, bytes: Uint8Array): Promise<boolean> {
      const isCreated = await super.create(key, bytes);
      if (key.startsWith('_runs/log/')) throw new Error('died');
      return isCreated;
    }
  }

  it('is not published twice, and nothing is requested again', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { storage: new Dying(root.path) })).rejects.toThrow('died');
    const storage = new LocalStorage(root.path);
    const published = await readManifest(storage, RUN_DATE);
    expect(await stagedRuns(join(root.path, '_staging'))).toHaveLength(1);
    const asked = api.requests.length;
    expect(await take(api, root.path)).toEqual(published);
    expect(api.requests).toHaveLength(asked);
    expect(await readLog(storage)).toHaveLength(1);
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
    expect((await verify({ storage })).findings).toEqual([]);
  });
});
