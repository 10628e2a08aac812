import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  type FinishedFile,
  LocalStorage,
  type Manifest,
  prune,
  readManifest,
  systemClock,
  verify,
} from '../../src/index.js';
import { acquireLease, LEASE_MS } from '../../src/lake/lease.js';
import { clockAt, moved } from '../run/support/clocks.js';
import { dataBelow, RUN_DATE, stagedRuns, take, temporaryFolder } from '../run/support/tree.js';
import { forgeManifest } from './support/tamper.js';

type Options = Partial<Parameters<typeof compact>[0]>;

const compacted = async (root: string, options: Options = {}): Promise<Manifest> =>
  (await compact({ storage: new LocalStorage(root), runDate: RUN_DATE, ...options })).manifest;

const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

async function published(api: FixtureApi, root: string): Promise<Record<string, string>> {
  await take(api, root, { sink: createSink('csv') });
  return await dataBelow(root);
}

describe('a compaction is refused, and nothing is changed,', () => {
  it('where there is no snapshot: not even a folder is made', async () => {
    await using root = await temporaryFolder();
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'snapshot_missing', exitCode: 2 });
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each([
    ['changed', 'file_differs', async (path: string) => writeFile(path, await edited(path))],
    ['cut', 'file_differs', async (path: string) => writeFile(path, (await readFile(path)).subarray(0, -9))],
    ['longer', 'file_differs', (path: string) => writeFile(path, 'a,b\r\n', { flag: 'a' })],
    ['missing', 'not_found', (path: string) => rm(path)],
  ] as const)('when a file is %s', async (_, code, damage) => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await published(api, root.path);
    const storage = new LocalStorage(root.path);
    const manifest = (await readManifest(storage, RUN_DATE)) as Manifest;
    await damage(join(root.path, manifest.tables.users?.slices[1]?.files[0]?.path ?? ''));
    const before = await dataBelow(root.path);
    await expect(compacted(root.path)).rejects.toMatchObject({ code });
    expect(await dataBelow(root.path)).toEqual(before);
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
    expect(await readdir(join(root.path, '_runs/leases')).catch(() => [])).toEqual([]);
  });

  it('when its manifest was changed after publishing', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    const { run_id } = (await readManifest(new LocalStorage(root.path), RUN_DATE)) as Manifest;
    const path = join(root.path, `_runs/run_date=${RUN_DATE}/${run_id}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rows": 30', '"rows": 29'));
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'manifest_differs' });
    expect(await dataBelow(root.path)).toEqual(before);
  });

  it('when the counts of the manifest are not those of its files', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    await forgeManifest(root.path, ({ tables }) => {
      for (const file of tables.users?.slices[0]?.files ?? []) file.rows = 31;
    });
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'rows_differ' });
    expect(await dataBelow(root.path)).toEqual(before);
  });

  it('when its columns are those of another version', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    await forgeManifest(root.path, (manifest) => {
      manifest.tables.users?.columns.pop();
      manifest.connector.version = '0.0.9';
    });
    const refused = compacted(root.path);
    await expect(refused).rejects.toMatchObject({ code: 'columns_unknown', exitCode: 2 });
    await expect(refused).rejects.toThrow('0.0.9');
    expect(await dataBelow(root.path)).toEqual(before);
  });

  it('when it was pruned', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    for (const runDate of [RUN_DATE, '2026-11-24']) await take(api, root.path, { runDate });
    await prune({ storage, keepDays: 1, clock: clockAt('2026-11-24T12:00:00Z') });
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'snapshot_pruned', exitCode: 1 });
  });

  it('when it is stopped while the rows are moved, and no copy of them stays', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    const stop = new AbortController();
    class Stopping extends LocalStorage {
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        if (key.startsWith('users/')) stop.abort();
        yield* super.read(key);
      }
    }
    const stopped = compacted(root.path, { storage: new Stopping(root.path), signal: stop.signal });
    await expect(stopped).rejects.toThrow('aborted');
    expect(await dataBelow(root.path)).toEqual(before);
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
    expect(await readdir(join(root.path, '_staging/tmp'))).toEqual([]);
    expect(await findings(root.path)).toEqual([]);
  });

  it('when another run has published the day while the rows were moved', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using later = await startFixtureApi({ sizes: [31, 20] });
    await using root = await temporaryFolder();
    await published(api, root.path);
    class Overtaken extends LocalStorage {
      override async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
        await super.put(files, signal);
        const state = join(root.path, 'elsewhere');
        await take(later, root.path, { sink: createSink('csv'), state, clock: moved(LEASE_MS + 1) });
      }
    }
    const overtaken = compacted(root.path, { storage: new Overtaken(root.path) });
    await expect(overtaken).rejects.toMatchObject({ name: 'LockedError', exitCode: 75 });
    expect(await readManifest(new LocalStorage(root.path), RUN_DATE)).toMatchObject({
      status: 'complete',
      written: { action: 'publish' },
      tables: { users: { rows: 51 } },
    });
    expect(await findings(root.path)).toEqual([]);
  });

  it('while another run works on the day', async () => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    const storage = new LocalStorage(root.path);
    const lease = await acquireLease({ storage, runDate: RUN_DATE, runId: 'another', clock: systemClock });
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    await lease.release();
    expect(await dataBelow(root.path)).toEqual(before);
    expect((await compacted(root.path)).written.action).toBe('compact');
  });
});

const edited = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8')).replace('user_', 'USER_');
