import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  type ComplianceEvent,
  createSink,
  LocalStorage,
  manifestFiles,
  readManifest,
  snapshot,
  streams,
  verify,
} from '../../src/index.js';
import {
  clientOf,
  dataBelow,
  filesBelow,
  memberships,
  RUN_DATE,
  rowsOf,
  servedMemberships,
  stagedRuns,
  take,
  temporaryFolder,
  textOf,
  uuidOf,
} from './support/tree.js';

const SIZES = [0, 1, 1000, 1001, 2500];

describe('a snapshot', () => {
  it('holds every organisation and membership that was served, once, and nothing else', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    const organizations = await rowsOf(root.path, manifest, 'organizations');
    expect(organizations.map(({ uuid }) => uuid)).toEqual(api.organizations().map(({ uuid }) => uuid));
    expect(manifest).toMatchObject({ status: 'complete', totals: { rows: 4507, gone: 0, failed: 0 } });
    expect(Object.entries(manifest.tables).map(([name, { rows }]) => [name, rows])).toEqual([
      ['organizations', 5],
      ['users', 4502],
    ]);
  });

  it('has the streams that are asked for, such as the roles of every organisation', async () => {
    await using api = await startFixtureApi({ sizes: [3, 0, 2] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { streams: ['roles'] });
    const rows = await rowsOf(root.path, manifest, 'roles');
    const served = api
      .organizations()
      .flatMap(({ uuid }) => [...api.records('roles', String(uuid))].map(({ id }) => `${uuid} ${id}`));
    expect(memberships(rows)).toEqual(served);
    expect(Object.keys(manifest.tables)).toEqual(['roles']);
    expect(manifest).toMatchObject({ status: 'scoped', totals: { slices: 3, failed: 0 } });
    expect(new Set(api.requests.map(({ list }) => list))).toEqual(new Set(['organizations', 'roles']));
  });

  it('has the organisations and the users when nothing is asked for, and is complete by that', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await using client = clientOf(api);
    const storage = new LocalStorage(root.path);
    const [manifest] = await snapshot({ client, sink: createSink('ndjson'), storage });
    expect(Object.keys(manifest?.tables ?? {})).toEqual(['organizations', 'users']);
    expect(manifest?.status).toBe('complete');
    expect(manifest?.scope).toEqual({
      streams: ['organizations', 'users'],
      known: streams.map(({ name }) => name),
      organizations: 'all',
    });
  });

  it('has names made of the run date, the organisation and the run, and nothing else is left', async () => {
    await using api = await startFixtureApi({ sizes: [0, 2500] });
    await using root = await temporaryFolder();
    const { run_id: run } = await take(api, root.path, { rowsPerFile: 1000 });
    const uuid = uuidOf(api, 1);
    expect(run).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/);
    expect(Object.keys(await filesBelow(root.path))).toEqual(
      [
        `_runs/dataset.json`,
        `_runs/log/00000001.json`,
        `_runs/run_date=2026-11-23/${run}.json`,
        `_runs/run_date=2026-11-23/manifest.json`,
        `organizations/run_date=2026-11-23/part-00000-${run}.ndjson`,
        `users/run_date=2026-11-23/org_uuid=${uuid}/part-00000-${run}.ndjson`,
        `users/run_date=2026-11-23/org_uuid=${uuid}/part-00001-${run}.ndjson`,
        `users/run_date=2026-11-23/org_uuid=${uuid}/part-00002-${run}.ndjson`,
      ].sort(),
    );
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
  });

  it('has in its manifest the size and the SHA-256 of every file', async () => {
    await using api = await startFixtureApi({ sizes: SIZES, awkward: true });
    await using root = await temporaryFolder();
    const files = manifestFiles(await take(api, root.path));
    const named = Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
    expect(named).toEqual(await dataBelow(root.path));
    for (const { path, bytes } of files) expect((await stat(join(root.path, path))).size).toBe(bytes);
  });

  it('has a copy of its manifest for people and simple readers, equal to the last byte', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path);
    const storage = new LocalStorage(root.path);
    const folder = `_runs/run_date=${RUN_DATE}`;
    const copy = await textOf(storage, `${folder}/manifest.json`);
    expect(copy).toBe(await textOf(storage, `${folder}/${manifest.run_id}.json`));
    expect(JSON.parse(copy)).toEqual(manifest);
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
  });

  it('without any organisation still has an organisations file, with no rows', async () => {
    await using api = await startFixtureApi({ sizes: [] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { allowEmpty: true });
    expect(manifestFiles(manifest)).toMatchObject([{ table: 'organizations', rows: 0 }]);
    expect(manifest.status).toBe('complete');
  });

  it('can be made in several formats, each in a root of its own, while the API is read once', async () => {
    await using api = await startFixtureApi({ sizes: [3, 1200] });
    await using root = await temporaryFolder();
    await using client = clientOf(api);
    const formats = ['ndjson', 'csv', 'parquet', 'arrow'].map((name) => ({
      sink: createSink(name),
      storage: new LocalStorage(join(root.path, name)),
    }));
    const [first, ...alsoTo] = formats as [(typeof formats)[0], ...typeof formats];
    const manifests = await snapshot({ client, ...first, alsoTo, state: join(root.path, 'state') });
    expect(manifests.map(({ format, tables }) => [format, tables.users?.rows])).toEqual(
      formats.map(({ sink }) => [sink.format, 1203]),
    );
    expect(new Set(manifests.map(({ run_id }) => run_id)).size).toBe(1);
    expect(api.requests.filter(({ organizationUuid }) => organizationUuid)).toHaveLength(3);
  });

  it('is reported with its run, its date, its status and the head of the log when it is published', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const events: ComplianceEvent[] = [];
    const { run_id: runId } = await take(api, root.path, { onEvent: (event) => events.push(event) });
    const { head } = await verify({ storage: new LocalStorage(root.path) });
    const published = { runId, runDate: RUN_DATE, status: 'complete', location: root.path, head };
    expect(events.at(-1)).toEqual({ type: 'published', ...published });
  });
});

describe('a snapshot of the same run date', () => {
  it('replaces the one before; its rows are the same bytes under new names, and other dates stay', async () => {
    await using api = await startFixtureApi({ sizes: [2, 1500] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-22' });
    const before = await filesBelow(root.path);
    const first = await take(api, root.path);
    const again = await take(api, root.path);
    const hashes = (manifest: typeof first) => manifestFiles(manifest).map(({ sha256 }) => sha256);
    expect(hashes(again)).toEqual(hashes(first));
    expect(again.run_id).not.toBe(first.run_id);
    expect(again.replaces?.run_id).toBe(first.run_id);
    const after = await filesBelow(root.path);
    for (const [path, sha256] of Object.entries(before)) expect([path, after[path]]).toEqual([path, sha256]);
    const files = [...manifestFiles(again).map(({ path }) => path)];
    const older = Object.keys(before).filter((path) => !path.startsWith('_'));
    expect(Object.keys(await dataBelow(root.path))).toEqual([...older, ...files].sort());
  });

  it('keeps the manifest of the one before', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using root = await temporaryFolder();
    const first = await take(api, root.path);
    await take(api, root.path);
    const kept = await textOf(new LocalStorage(root.path), `_runs/run_date=${RUN_DATE}/${first.run_id}.json`);
    expect(JSON.parse(kept)).toEqual(first);
  });

  it('leaves no file of an organisation that is no longer there', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6, 7] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const gone = uuidOf(api, 1);
    api.unlink(gone);
    const { tables } = await take(api, root.path);
    expect(Object.keys(await filesBelow(root.path)).filter((path) => path.includes(gone))).toEqual([]);
    expect([tables.organizations?.rows, tables.users?.rows]).toEqual([2, 12]);
  });
});
