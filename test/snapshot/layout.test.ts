import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  createSink,
  LocalStorage,
  type Manifest,
  manifestFiles,
  readManifest,
  type Sink,
  snapshot,
  verify,
} from '../../src/index.js';
import {
  clientOf,
  filesBelow,
  memberships,
  rowsOf,
  servedMemberships,
  take,
  temporaryFolder,
} from './tree.js';

const uuidsOf = (api: FixtureApi): string[] => api.organizations().map(({ uuid }) => String(uuid));
const usersOf = (manifest: Manifest): string[] =>
  manifestFiles(manifest)
    .filter(({ table }) => table === 'users')
    .map(({ path }) => path);

/** What a day's file must hold: the organisations by their ids, and in each its users as served. */
const sortedMemberships = (api: FixtureApi): string[] =>
  uuidsOf(api)
    .sort()
    .flatMap((uuid) => [...api.users(uuid)].map(({ id }) => `${uuid} ${id}`));

const FORMATS = ['ndjson', 'csv', 'parquet', 'arrow'];

describe('a snapshot laid out per date', () => {
  it('has one file of users, sorted by organisation, with every row that was served', async () => {
    await using api = await startFixtureApi({ sizes: [30, 0, 1200, 5], awkward: true });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { layout: 'per-date' });
    expect(usersOf(manifest)).toEqual(['users/run_date=2026-11-23/part-00000.ndjson']);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(sortedMemberships(api));
    expect(manifest).toMatchObject({
      layout: 'per-date',
      status: 'complete',
      totals: { users: 1235, files: 2 },
    });
    expect(manifest.slices.map(({ rows, files }) => [rows, files])).toEqual(
      [30, 0, 1200, 5].map((n) => [n, []]),
    );
    expect((await verify({ storage: new LocalStorage(root.path) })).findings).toEqual([]);
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });

  it('begins a new part after so many rows, in the middle of an organisation if need be', async () => {
    await using api = await startFixtureApi({ sizes: [1000, 1400, 100] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { layout: 'per-date', rowsPerFile: 700 });
    expect(manifest.users.files.map(({ rows }) => rows)).toEqual([700, 700, 700, 400]);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(sortedMemberships(api));
  });

  it.each(['parquet-js', 'custom'])('is refused of the writer %s, before anything is asked', async (name) => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const { regroup: _, ...custom } = createSink('ndjson');
    const sink: Sink = name === 'custom' ? custom : createSink(name);
    await expect(take(api, root.path, { sink, layout: 'per-date' })).rejects.toMatchObject({
      code: 'layout_not_supported',
      exitCode: 2,
    });
    expect(api.requests).toEqual([]);
    expect(await filesBelow(root.path)).toEqual({});
  });

  it('is made in every format of one run, with an empty table where there are no users', async () => {
    await using api = await startFixtureApi({ sizes: [0, 0] });
    await using root = await temporaryFolder();
    await using client = clientOf(api);
    const [first, ...alsoTo] = FORMATS.map((format) => ({
      sink: createSink(format),
      storage: new LocalStorage(join(root.path, format)),
    }));
    const options = { client, state: join(root.path, 'state'), layout: 'per-date' as const, alsoTo };
    const manifests = await snapshot({ ...options, ...(first as NonNullable<typeof first>) });
    expect(manifests.map(usersOf)).toEqual([[], [], [], []]);
    for (const format of FORMATS) {
      const storage = new LocalStorage(join(root.path, format));
      expect((await verify({ storage })).findings).toEqual([]);
      expect(await readdir(join(root.path, format))).toContain('users');
    }
  });

  it('replaces one laid out per organisation, and is replaced by one', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    for (const layout of ['per-org', 'per-date', 'per-org'] as const) {
      const manifest = await take(api, root.path, { layout });
      const files = Object.keys(await filesBelow(join(root.path, 'users')));
      expect(files.map((path) => `users/${path}`)).toEqual(usersOf(manifest).sort());
      expect((await verify({ storage: new LocalStorage(root.path) })).findings).toEqual([]);
    }
  });

  it('leaves out what failed, and says so', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30, 40] });
    await using root = await temporaryFolder();
    const [, failing] = uuidsOf(api);
    api.fault({ match: { organizationUuid: String(failing) }, do: { type: 'answer', status: 503 } });
    const manifest = await take(api, root.path, { layout: 'per-date', onOrgFailure: 'continue' });
    expect(manifest).toMatchObject({ status: 'incomplete', totals: { users: 60, failed: 1 } });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(
      sortedMemberships(api).filter((membership) => !membership.startsWith(String(failing))),
    );
  });
});

describe('a run that is cut short while it lays out', () => {
  /** Fails when the rows of so many organisations have been put into the day's file. */
  const failing = (after: number): Sink => {
    const ndjson = createSink('ndjson');
    const regroup = ndjson.regroup as NonNullable<Sink['regroup']>;
    return {
      ...ndjson,
      regroup: {
        ...regroup,
        async *join(schema, blocks) {
          let taken = 0;
          async function* some() {
            for await (const block of blocks) {
              taken += 1;
              if (taken > after) throw new Error('cut');
              yield block;
            }
          }
          yield* regroup.join(schema, some());
        },
      },
    };
  };

  it('goes on without asking the API for a user again', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30, 40] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { layout: 'per-date', sink: failing(2) })).rejects.toThrow('cut');
    expect(await readManifest(new LocalStorage(root.path), '2026-11-23')).toBeUndefined();
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { layout: 'per-date' });
    expect(api.requests.slice(asked).filter(({ organizationUuid }) => organizationUuid)).toEqual([]);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(sortedMemberships(api));
    expect((await verify({ storage: new LocalStorage(root.path) })).findings).toEqual([]);
  });

  it('does not go on with a run of the other layout', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { layout: 'per-date', sink: failing(0) })).rejects.toThrow('cut');
    const manifest = await take(api, root.path);
    expect(manifest.layout).toBe('per-org');
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });

  it.each(['changed', 'longer'])('refuses a staged file that was %s meanwhile', async (how) => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { layout: 'per-date', sink: failing(0) })).rejects.toThrow('cut');
    const staged = Object.keys(await filesBelow(join(root.path, '_staging'))).find((path) =>
      /org_uuid/.test(path),
    );
    const path = join(root.path, '_staging', staged ?? '');
    if (how === 'longer') await appendFile(path, '{}\n');
    else await writeFile(path, (await readFile(path, 'utf8')).replace('user_', 'USER_'));
    await expect(take(api, root.path, { layout: 'per-date' })).rejects.toMatchObject({
      code: 'file_differs',
    });
    expect(await readManifest(new LocalStorage(root.path), '2026-11-23')).toBeUndefined();
  });
});

it('whatever the sizes and the parts, both layouts hold the same rows', async () => {
  const sizes = fc.array(fc.nat(40), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 50 }), async (sizes, rowsPerFile) => {
      await using api = await startFixtureApi({ sizes, awkward: true });
      await using root = await temporaryFolder();
      const rows = async (layout: 'per-org' | 'per-date') => {
        const manifest = await take(api, join(root.path, layout), { layout, rowsPerFile });
        const key = (row: Record<string, unknown>) => `${row.organization_uuid} ${row.id}`;
        const rows = await rowsOf(join(root.path, layout), manifest, 'users');
        expect(
          Math.max(
            0,
            ...manifestFiles(manifest)
              .filter(({ table }) => table === 'users')
              .map(({ rows }) => rows),
          ),
        ).toBeLessThanOrEqual(rowsPerFile);
        return new Map(rows.map((row) => [key(row), row]));
      };
      expect(await rows('per-date')).toEqual(await rows('per-org'));
    }),
    { numRuns: 15 },
  );
});
