import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  isComplete,
  LocalStorage,
  type Manifest,
  manifestSchema,
  newestWith,
  prune,
  readLog,
  readManifest,
  verify,
} from '../../src/index.js';
import { filesBelow, RUN_DATE, take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { forgeManifest, lastManifest } from '../upkeep/support/tamper.js';

const SCHEMA_FILE = resolve(import.meta.dirname, '../../docs/manifest.schema.json');

/** Checks a manifest as another program would: with the published schema and another validator. */
async function validator() {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(await readFile(SCHEMA_FILE, 'utf8')));
  return (manifest: unknown) => (validate(manifest) ? [] : (validate.errors ?? []));
}

const onDisk = async (root: string): Promise<Manifest> =>
  JSON.parse(await readFile(await lastManifest(root), 'utf8'));

describe('the published schema of the manifest', () => {
  it('is the one that the code checks with (`npx vitest run test/root/manifest.test.ts -u` writes it)', async () => {
    const published = z.toJSONSchema(manifestSchema);
    await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(SCHEMA_FILE);
  });

  it('fits the manifests of every action and status, and no other form', async () => {
    await using api = await startFixtureApi({ sizes: [0, 12, 5], awkward: true });
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    const errorsOf = await validator();
    const seen: unknown[] = [];
    const check = async () => {
      const manifest = await onDisk(root.path);
      expect(errorsOf(manifest)).toEqual([]);
      seen.push([manifest.written.action, manifest.status]);
      return manifest;
    };
    await take(api, root.path, { runDate: '2026-11-20', org: [uuidOf(api, 1)], rowsPerFile: 5 });
    await check();
    await take(api, root.path, { streams: ['organizations', 'users', 'roles'] });
    await check();
    await compact({ storage, runDate: RUN_DATE });
    await check();
    await prune({ storage, keepDays: 1 });
    await check();
    api.fault({ match: { organizationUuid: uuidOf(api, 1) }, do: { type: 'answer', status: 503 } });
    await take(api, root.path, { runDate: '2026-11-24', onOrgFailure: 'continue', force: true });
    const incomplete = await check();
    expect(seen).toEqual([
      ['publish', 'scoped'],
      ['publish', 'complete'],
      ['compact', 'complete'],
      ['prune', 'pruned'],
      ['publish', 'incomplete'],
    ]);
    expect(errorsOf({ ...incomplete, status: 'done' })).not.toEqual([]);
    expect(errorsOf({ ...incomplete, note: 'x' })).not.toEqual([]);
  });
});

describe('a manifest with a field that this version does not know', () => {
  const places: [string, (manifest: Manifest & Record<string, unknown>) => void][] = [
    ['at the top', (manifest) => Object.assign(manifest, { note: 'x' })],
    ['in a table', ({ tables }) => Object.assign(tables.users as object, { note: 'x' })],
    ['in a slice', ({ tables }) => Object.assign(tables.users?.slices[0] as object, { note: 'x' })],
    [
      'in a file',
      ({ tables }) => Object.assign(tables.organizations?.slices[0]?.files[0] as object, { note: 'x' }),
    ],
    ['of its version', (manifest) => Object.assign(manifest, { manifest_version: 3 })],
  ];

  it.each(places)('%s is refused by every command, and nothing is changed', async (_, change) => {
    await using api = await startFixtureApi({ sizes: [3, 2] });
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    await take(api, root.path, { runDate: '2026-11-20' });
    await take(api, root.path);
    await forgeManifest(root.path, change);
    const before = await filesBelow(root.path);
    const asked = api.requests.length;
    const invalid = { name: 'StorageError', code: 'manifest_invalid' };
    await expect(readManifest(storage, RUN_DATE)).rejects.toMatchObject(invalid);
    const newest = newestWith({ storage, log: await readLog(storage), streams: ['users'] });
    await expect(newest).rejects.toMatchObject(invalid);
    await expect(take(api, root.path)).rejects.toMatchObject(invalid);
    expect(api.requests).toHaveLength(asked);
    await expect(compact({ storage, runDate: RUN_DATE })).rejects.toMatchObject(invalid);
    const { pruned, kept, failed } = await prune({ storage, keepDays: 1, clock: afterAYear });
    expect(pruned).toEqual([]);
    expect(failed).toMatchObject([{ runDate: RUN_DATE, code: 'manifest_invalid' }]);
    expect(kept).toMatchObject([{ runDate: '2026-11-20', reasons: [{ rule: 'newest' }] }]);
    expect((await verify({ storage })).findings).toMatchObject([
      { problem: 'unreadable', runDate: RUN_DATE },
    ]);
    expect(await filesBelow(root.path)).toEqual(before);
  });
});

const afterAYear = {
  now: () => Date.UTC(2027, 10, 23),
  elapsed: () => 0,
  sleep: () => Promise.reject(new Error('nothing waits here')),
};

describe('the newest snapshot that holds some streams completely', () => {
  it('is found stream by stream, whatever other streams there are', async () => {
    await using api = await startFixtureApi({ sizes: [3, 2] });
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    const dates = [
      ['2026-11-19', { streams: ['roles'] }],
      ['2026-11-20', { streams: ['organizations', 'users', 'roles'] }],
      ['2026-11-21', { streams: ['organizations', 'users'] }],
      ['2026-11-22', { streams: ['organizations'] }],
      ['2026-11-23', { streams: ['organizations', 'users'], org: [uuidOf(api, 0)] }],
    ] as const;
    for (const [runDate, settings] of dates)
      await take(api, root.path, { runDate, ...settings, streams: [...settings.streams] } as object);
    const log = await readLog(storage);
    const newest = async (...streams: string[]) => (await newestWith({ storage, log, streams }))?.run_date;
    expect(await newest('organizations')).toBe('2026-11-22');
    expect(await newest('users')).toBe('2026-11-21');
    expect(await newest('roles', 'users')).toBe('2026-11-20');
    expect(await newest('invoices')).toBeUndefined();
    const scoped = (await readManifest(storage, '2026-11-23')) as Manifest;
    expect(isComplete(scoped, 'users')).toBe(false);
  });
});
