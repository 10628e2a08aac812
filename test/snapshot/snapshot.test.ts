import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, LocalStorage, snapshot } from '../../src/index.js';
import {
  clientOf,
  filesBelow,
  memberships,
  rowsOf,
  servedMemberships,
  take,
  temporaryFolder,
} from './tree.js';

const SIZES = [0, 1, 1000, 1001, 2500];

describe('a snapshot', () => {
  it('holds every organisation and membership that was served, once, and nothing else', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    const organizations = await rowsOf(root.path, manifest, 'organizations');
    expect(organizations.map(({ uuid }) => uuid)).toEqual(api.organizations().map(({ uuid }) => uuid));
    expect(manifest).toMatchObject({
      status: 'complete',
      totals: { organizations: 5, users: 4502, gone: 0, failed: 0 },
    });
  });

  it('lies under names made of the run date and the organisation, with the manifest, and nothing else', async () => {
    await using api = await startFixtureApi({ sizes: [0, 2500] });
    await using root = await temporaryFolder();
    await take(api, root.path, { rowsPerFile: 1000 });
    const uuid = api.organizations()[1]?.uuid;
    expect(Object.keys(await filesBelow(root.path))).toEqual([
      '_runs/dataset.json',
      '_runs/log/00000001.json',
      '_runs/run_date=2026-11-23/lock/1.json',
      '_runs/run_date=2026-11-23/lock/1.released',
      '_runs/run_date=2026-11-23/manifest.json',
      'organizations/run_date=2026-11-23/part-00000.ndjson',
      `users/run_date=2026-11-23/org_uuid=${uuid}/part-00000.ndjson`,
      `users/run_date=2026-11-23/org_uuid=${uuid}/part-00001.ndjson`,
      `users/run_date=2026-11-23/org_uuid=${uuid}/part-00002.ndjson`,
    ]);
  });

  it('has in its manifest the size and the SHA-256 of every file', async () => {
    await using api = await startFixtureApi({ sizes: SIZES, awkward: true });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path);
    const files = [...manifest.organizations.files, ...manifest.slices.flatMap((slice) => slice.files)];
    const onDisk = await filesBelow(root.path);
    expect(Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]))).toEqual(
      Object.fromEntries(Object.entries(onDisk).filter(([path]) => !path.startsWith('_runs'))),
    );
    for (const { path, bytes } of files) expect((await stat(join(root.path, path))).size).toBe(bytes);
  });

  it('is for its owner only, unless told otherwise', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await take(api, join(root.path, 'a'));
    await take(api, join(root.path, 'b'), {
      storage: new LocalStorage(join(root.path, 'b'), { fileMode: 0o640 }),
    });
    const mode = async (path: string) => ((await stat(join(root.path, path))).mode & 0o777).toString(8);
    const part = 'organizations/run_date=2026-11-23/part-00000.ndjson';
    expect([await mode(`a/${part}`), await mode('a/organizations')]).toEqual(['600', '700']);
    expect([await mode(`b/${part}`), await mode('b/organizations')]).toEqual(['640', '750']);
  });

  it('without any organisation still has an organisations file, with no rows', async () => {
    await using api = await startFixtureApi({ sizes: [] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path);
    expect(manifest.organizations.files).toMatchObject([{ rows: 0 }]);
    expect(manifest.status).toBe('complete');
  });

  it('may go out in several formats, each in a root of its own, while the API is read once', async () => {
    await using api = await startFixtureApi({ sizes: [3, 1200] });
    await using root = await temporaryFolder();
    await using client = clientOf(api);
    const formats = ['ndjson', 'csv', 'parquet', 'arrow'].map((name) => ({
      sink: createSink(name),
      storage: new LocalStorage(join(root.path, name)),
    }));
    const [first, ...alsoTo] = formats as [(typeof formats)[0], ...typeof formats];
    const manifests = await snapshot({ client, ...first, alsoTo, state: join(root.path, '_staging') });
    expect(manifests.map(({ format, totals }) => [format, totals.users])).toEqual(
      formats.map(({ sink }) => [sink.format, 1203]),
    );
    expect(api.requests.filter(({ organizationUuid }) => organizationUuid)).toHaveLength(3);
  });
});

describe('the same run date again', () => {
  it('replaces what was there; the same data gives the same bytes, and other dates stay', async () => {
    await using api = await startFixtureApi({ sizes: [2, 1500] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-22' });
    const first = await take(api, root.path);
    const before = await filesBelow(root.path);
    const again = await take(api, root.path);
    const after = await filesBelow(root.path);
    expect(again.slices.map(({ files }) => files)).toEqual(first.slices.map(({ files }) => files));
    expect(again.replaces).toMatchObject({ run_id: first.run_id, status: 'complete' });
    const unchanged = Object.keys(before).filter((path) => !path.startsWith('_runs/run_date=2026-11-23'));
    for (const path of unchanged) expect([path, after[path]]).toEqual([path, before[path]]);
  });

  it('leaves no file of an organisation that is no longer there', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6, 7] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const gone = String(api.organizations()[1]?.uuid);
    api.unlink(gone);
    const manifest = await take(api, root.path);
    expect(Object.keys(await filesBelow(root.path)).filter((path) => path.includes(gone))).toEqual([]);
    expect(manifest.totals).toMatchObject({ organizations: 2, users: 12 });
  });
});

describe('a run that is aborted', () => {
  it('while it publishes stops at once, and the next one goes on', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    const aborting = new AbortController();
    class Aborted extends LocalStorage {
      override async replaceFolder(...[folder, staged]: Parameters<LocalStorage['replaceFolder']>) {
        aborting.abort(new Error('ended'));
        await super.replaceFolder(folder, staged);
      }
    }
    const aborted = take(api, root.path, { storage: new Aborted(root.path), signal: aborting.signal });
    await expect(aborted).rejects.toThrow('ended');
    const tables = Object.keys(await filesBelow(root.path)).filter((path) => !path.startsWith('_'));
    expect(tables).toEqual([]);
    const asked = api.requests.length;
    expect(await take(api, root.path)).toMatchObject({ status: 'complete', totals: { users: 11 } });
    expect(api.requests).toHaveLength(asked);
  });
});

describe('a run that reads less', () => {
  it('has a scope, and lands where nothing wider lies', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    const uuid = String(api.organizations()[1]?.uuid);
    const manifest = await take(api, root.path, { org: [uuid] });
    expect(manifest.scope).toEqual({ streams: ['organizations', 'users'], organizations: [uuid] });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toHaveLength(6);
  });

  it('is refused where a full snapshot of the date lies, before anything is asked of the API', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const before = await filesBelow(root.path);
    const asked = api.requests.length;
    await expect(take(api, root.path, { streams: ['organizations'] })).rejects.toMatchObject({
      code: 'scope_refused',
      exitCode: 1,
    });
    expect(api.requests).toHaveLength(asked);
    expect(await filesBelow(root.path)).toEqual(before);
  });

  it('does not take the place of a full one that was cut short while it was published', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    class Cut extends LocalStorage {
      override replaceFolder = () => Promise.reject(new Error('cut'));
    }
    const cut = new Cut(root.path);
    await expect(take(api, root.path, { storage: cut })).rejects.toThrow('cut');
    await expect(take(api, root.path, { streams: ['users'] })).rejects.toMatchObject({
      code: 'scope_refused',
    });
    expect(await take(api, root.path)).toMatchObject({ status: 'complete', totals: { users: 11 } });
  });

  it('names an organisation that the key does not list', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const unknown = '00000000-0000-4000-8000-000000000000';
    await expect(take(api, root.path, { org: [unknown] })).rejects.toMatchObject({
      code: 'organization_not_listed',
      exitCode: 2,
    });
  });
});

describe('a root', () => {
  it('holds one format: another one is refused before anything is asked of the API', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const asked = api.requests.length;
    await expect(take(api, root.path, { sink: createSink('csv') })).rejects.toMatchObject({
      code: 'dataset_mismatch',
      exitCode: 2,
    });
    expect(api.requests).toHaveLength(asked);
  });

  it('whose description was cut is refused, and no staging without a readable header stands in the way', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await mkdir(join(root.path, '_staging/run.1'), { recursive: true });
    await writeFile(join(root.path, '_staging/run.1/run.json'), '{"run_id":"r');
    await take(api, root.path);
    await writeFile(join(root.path, '_runs/dataset.json'), '{"format":"nd');
    await expect(take(api, root.path)).rejects.toMatchObject({ code: 'dataset_mismatch', exitCode: 2 });
  });

  it('that is no folder gets a clear error', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await writeFile(join(root.path, 'file'), 'mine');
    await expect(take(api, join(root.path, 'file'))).rejects.toMatchObject({
      name: 'StorageError',
      exitCode: 2,
    });
    expect(await readFile(join(root.path, 'file'), 'utf8')).toBe('mine');
  });

  it('cannot be reached from a staging on another disk, which is said before anything is asked of the API', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const other = '/dev/shm'; // a disk of its own on Linux
    const device = async (path: string) =>
      await stat(path).then(
        ({ dev }) => dev,
        () => undefined,
      );
    const elsewhere = await device(other);
    if (elsewhere === undefined || elsewhere === (await device(root.path))) {
      console.log('not run: there is no second disk on this machine to stage on');
      return;
    }
    const state = join(other, `compliance-${process.pid}`);
    try {
      await expect(take(api, root.path, { state })).rejects.toMatchObject({
        code: 'state_on_another_disk',
        exitCode: 2,
      });
    } finally {
      await rm(state, { recursive: true, force: true });
    }
    expect(api.requests).toEqual([]);
    expect(await filesBelow(root.path)).toEqual({});
  });

  it('never has a path made of an id that is not a UUID', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    api.fault({
      do: {
        type: 'answer',
        status: 200,
        body: {
          data: [{ uuid: '../../../escaped', name: null, created_at: null }],
          has_more: false,
          next_page: null,
        },
      },
    });
    await mkdir(join(root.path, 'root'));
    await expect(take(api, join(root.path, 'root'))).rejects.toMatchObject({
      code: 'organization_uuid_invalid',
    });
    expect(Object.keys(await filesBelow(root.path)).filter((path) => path.includes('escaped'))).toEqual([]);
  });
});
