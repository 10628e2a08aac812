import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  manifestFiles,
  readManifest,
  type Sink,
  snapshot,
  verify,
} from '../../src/index.js';
import {
  clientOf,
  dataBelow,
  filesBelow,
  memberships,
  pathsOf,
  RUN_DATE,
  rowsOf,
  servedMemberships,
  stagedRuns,
  take,
  temporaryFolder,
  uuidOf,
} from './support/tree.js';

/** What a combined file must hold: the organisations by their ids, and in each its records as served. */
const sortedKeys = (api: FixtureApi, list: string): string[] =>
  api
    .organizations()
    .map(({ uuid }) => String(uuid))
    .sort()
    .flatMap((uuid) => [...api.records(list, uuid)].map(({ id }) => `${uuid} ${id}`));

const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

const FORMATS = ['ndjson', 'csv', 'parquet', 'arrow'];

describe('a snapshot with one file a table', () => {
  it('has the rows of every organisation in it, sorted by organisation', async () => {
    await using api = await startFixtureApi({ sizes: [30, 0, 120, 5], awkward: true });
    await using root = await temporaryFolder();
    const streams = ['organizations', 'users', 'roles'];
    const manifest = await take(api, root.path, { layout: 'per-date', streams });
    for (const name of ['users', 'roles']) {
      expect(pathsOf(manifest, name)).toEqual([
        `${name}/run_date=${RUN_DATE}/part-00000-${manifest.run_id}.ndjson`,
      ]);
      const keys = memberships(await rowsOf(root.path, manifest, name));
      expect(keys).toEqual(sortedKeys(api, name));
      const table = manifest.tables[name];
      expect([table?.layout, table?.rows, table?.files[0]?.rows]).toEqual([
        'per-date',
        keys.length,
        keys.length,
      ]);
    }
    const slices = manifest.tables.users?.slices ?? [];
    expect(slices.map(({ rows, files }) => [rows, files])).toEqual([30, 0, 120, 5].map((n) => [n, []]));
    expect(manifest.tables.organizations?.layout).toBe('per-parent');
    expect(manifest).toMatchObject({ status: 'complete', totals: { files: 3 } });
    expect(await findings(root.path)).toEqual([]);
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
  });

  it('begins a new part after so many rows, in the middle of an organisation if need be', async () => {
    await using api = await startFixtureApi({ sizes: [100, 140, 10] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { layout: 'per-date', rowsPerFile: 70 });
    expect(manifest.tables.users?.files.map(({ rows }) => rows)).toEqual([70, 70, 70, 40]);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(sortedKeys(api, 'users'));
  });

  it('is made in every format of one run, with no file of a table that has no rows', async () => {
    await using api = await startFixtureApi({ sizes: [0, 0] });
    await using root = await temporaryFolder();
    await using client = clientOf(api);
    const [first, ...alsoTo] = FORMATS.map((format) => ({
      sink: createSink(format),
      storage: new LocalStorage(join(root.path, format)),
    }));
    const options = { client, state: join(root.path, 'state'), layout: 'per-date' as const, alsoTo };
    const streams = ['organizations', 'users'];
    const manifests = await snapshot({ ...options, streams, ...(first as NonNullable<typeof first>) });
    expect(manifests.map((manifest) => pathsOf(manifest, 'users'))).toEqual([[], [], [], []]);
    for (const format of FORMATS) expect(await findings(join(root.path, format))).toEqual([]);
  });

  it('replaces one with a folder for each organisation, and is replaced by one', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    for (const layout of ['per-org', 'per-date', 'per-org'] as const) {
      const manifest = await take(api, root.path, { layout });
      const named = manifestFiles(manifest).map(({ path }) => path);
      expect(Object.keys(await dataBelow(root.path))).toEqual(named.sort());
      expect(await findings(root.path)).toEqual([]);
    }
  });

  it('leaves out what failed, and says so', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30, 40] });
    await using root = await temporaryFolder();
    const failing = uuidOf(api, 1);
    api.fault({ match: { organizationUuid: failing }, do: { type: 'answer', status: 503 } });
    const manifest = await take(api, root.path, { layout: 'per-date', onOrgFailure: 'continue' });
    expect(manifest).toMatchObject({
      status: 'incomplete',
      totals: { failed: 1 },
      tables: { users: { rows: 60 } },
    });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(
      sortedKeys(api, 'users').filter((membership) => !membership.startsWith(failing)),
    );
  });
});

describe("a user's own sink that has no regroup", () => {
  /** Two columns of each row, a line a row. */
  const keys: Sink = {
    format: 'keys',
    extension: 'keys.txt',
    async *encode(_, batches) {
      for await (const batch of batches)
        for (const row of batch) yield Buffer.from(`${row.organization_uuid ?? row.uuid} ${row.id ?? ''}\n`);
    },
  };

  it('writes a folder for each organisation', async () => {
    await using api = await startFixtureApi({ sizes: [20, 0, 30], awkward: true });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { sink: keys });
    expect(manifest).toMatchObject({ format: 'keys', status: 'complete', totals: { files: 3 } });
    const paths = pathsOf(manifest, 'users');
    const uuids = [0, 2].map((index) => uuidOf(api, index));
    const name = `part-00000-${manifest.run_id}.keys.txt`;
    expect(paths).toEqual(uuids.map((uuid) => `users/run_date=${RUN_DATE}/org_uuid=${uuid}/${name}`));
    const texts = await Promise.all(paths.map((path) => readFile(join(root.path, path), 'utf8')));
    expect(texts.join('').trimEnd().split('\n')).toEqual(servedMemberships(api));
  });

  it.each(['the only one', 'one of two'])(
    'is refused one file a table, as %s, before anything is asked',
    async (place) => {
      await using api = await startFixtureApi({ sizes: [3] });
      await using root = await temporaryFolder();
      const own = { sink: keys, storage: new LocalStorage(join(root.path, 'keys')) };
      const other = { storage: new LocalStorage(join(root.path, 'ndjson')), alsoTo: [own] };
      const state = join(root.path, 'state');
      const targets = place === 'the only one' ? own : other;
      await expect(take(api, root.path, { ...targets, state, layout: 'per-date' })).rejects.toMatchObject({
        code: 'layout_not_supported',
        exitCode: 2,
        message: expect.stringContaining('keys'),
      });
      expect(api.requests).toEqual([]);
      expect(await filesBelow(root.path)).toEqual({});
    },
  );

  it('has files that a compaction leaves as they are', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4] });
    await using root = await temporaryFolder();
    await take(api, root.path, { sink: keys });
    const before = await dataBelow(root.path);
    const storage = new LocalStorage(root.path);
    await expect(compact({ storage, runDate: RUN_DATE })).rejects.toMatchObject({ code: 'unknown_format' });
    expect(await dataBelow(root.path)).toEqual(before);
  });
});

describe('a run that is interrupted while it combines', () => {
  /** Fails when the rows of so many organisations have been combined. */
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
              if (taken > after) throw new Error('interrupted');
              yield block;
            }
          }
          yield* regroup.join(schema, some());
        },
      },
    };
  };

  it('is resumed without asking the API for anything', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30, 40] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { layout: 'per-date', sink: failing(2) })).rejects.toThrow(
      'interrupted',
    );
    expect(await readManifest(new LocalStorage(root.path), RUN_DATE)).toBeUndefined();
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { layout: 'per-date' });
    expect(api.requests).toHaveLength(asked);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(sortedKeys(api, 'users'));
    expect(await findings(root.path)).toEqual([]);
  });

  it('is not resumed by a run of the other layout', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { layout: 'per-date', sink: failing(0) })).rejects.toThrow(
      'interrupted',
    );
    const manifest = await take(api, root.path);
    expect(manifest.tables.users?.layout).toBe('per-parent');
    expect(manifest.attempts).toHaveLength(1);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
  });

  it.each(['changed', 'longer'])('refuses a staged file that was %s meanwhile', async (how) => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { layout: 'per-date', sink: failing(0) })).rejects.toThrow(
      'interrupted',
    );
    const staged = Object.keys(await filesBelow(join(root.path, '_staging'))).find((path) =>
      /org_uuid/.test(path),
    );
    const path = join(root.path, '_staging', staged ?? '');
    if (how === 'longer') await appendFile(path, '{}\n');
    else await writeFile(path, (await readFile(path, 'utf8')).replace('user_', 'USER_'));
    await expect(take(api, root.path, { layout: 'per-date' })).rejects.toMatchObject({
      code: 'file_differs',
    });
    expect(await readManifest(new LocalStorage(root.path), RUN_DATE)).toBeUndefined();
  });
});

it('whatever the sizes and the parts, both layouts hold the same rows', async () => {
  const sizes = fc.array(fc.nat(40), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 50 }), async (sizes, rowsPerFile) => {
      await using api = await startFixtureApi({ sizes, awkward: true });
      await using root = await temporaryFolder();
      const rows = async (layout: 'per-org' | 'per-date') => {
        const folder = join(root.path, layout);
        const manifest = await take(api, folder, { layout, rowsPerFile });
        const counts = manifestFiles(manifest).map(({ rows }) => rows);
        expect(Math.max(0, ...counts)).toBeLessThanOrEqual(rowsPerFile);
        const held = await rowsOf(folder, manifest, 'users');
        return new Map(held.map((row) => [`${row.organization_uuid} ${row.id}`, row]));
      };
      expect(await rows('per-date')).toEqual(await rows('per-org'));
    }),
    { numRuns: 6 },
  );
});
