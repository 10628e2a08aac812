import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  type AccessRow,
  createSink,
  type EffectiveAccessOptions,
  effectiveAccess,
  type FileEntry,
  LocalStorage,
  type Manifest,
  manifestFiles,
  type SnapshotOptions,
  snapshot,
  systemClock,
  type Target,
  users,
  verify,
} from '../../src/index.js';
import { publish, withDay } from '../../src/lake/day.js';
import { newRunId } from '../../src/lake/paths.js';
import { rewritten } from '../../src/upkeep/rewritten.js';
import { clientOf, RUN_DATE, take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { thinOut } from '../thin-out.js';
import { pruned } from '../upkeep/support/days.js';
import { referenceRows, rowTexts } from './support/reference.js';
import { servedDirectory } from './support/served.js';

const ACCESS = ['organizations', 'users', 'roles', 'role_permissions', 'groups', 'group_members'];

/** All rows; afterwards nothing temporary may be left. */
async function rowsIn(root: string, options: Partial<EffectiveAccessOptions> = {}): Promise<AccessRow[]> {
  const scratch = join(root, 'scratch');
  const rows: AccessRow[] = [];
  for await (const batch of effectiveAccess({ storage: new LocalStorage(root), scratch, ...options })) {
    rows.push(...batch);
  }
  expect(await leftIn(scratch)).toEqual([]);
  return rows;
}
const leftIn = (scratch: string): Promise<string[]> => readdir(join(scratch, 'tmp')).catch(() => []);

const target = (root: string, name: string, format: string, compression?: string): Target => ({
  sink: createSink(format, compression === undefined ? {} : { compression }),
  storage: new LocalStorage(join(root, name)),
});

describe('a snapshot of an awkward directory', () => {
  let api: FixtureApi;
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  const dump = async (targets: readonly Target[], options: Partial<SnapshotOptions>) => {
    const [first, ...alsoTo] = targets as [Target, ...Target[]];
    await using client = clientOf(api);
    const state = join(root.path, 'state');
    const dated = { runDate: RUN_DATE, backDated: true };
    await snapshot({ client, state, alsoTo, streams: ACCESS, ...dated, ...first, ...options });
  };

  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [AWKWARD_ROUND, 12, 0, 25], awkward: true, groups: 120 });
    thinOut(api);
    root = await temporaryFolder();
    const both = (layout: string) =>
      ['parquet', 'ndjson', 'csv', 'arrow'].map((format) =>
        target(root.path, `${format}, ${layout}`, format),
      );
    await dump(both('per-org'), { layout: 'per-org', rowsPerFile: 7 });
    await dump(both('per-date'), { layout: 'per-date', rowsPerFile: 40 });
    await dump(
      [
        target(root.path, 'parquet, snappy', 'parquet', 'snappy'),
        target(root.path, 'ndjson, gzip', 'ndjson', 'gzip'),
        target(root.path, 'csv, gzip', 'csv', 'gzip'),
      ],
      {},
    );
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await root[Symbol.asyncDispose]();
  });

  const first = async () => await rowsIn(join(root.path, 'ndjson, per-org'));

  it('gives the rows that follow from what the API serves', async () => {
    const rows = await first();
    expect(rowTexts(rows)).toEqual(rowTexts(referenceRows(servedDirectory(api, RUN_DATE))));
    const seen = (name: keyof AccessRow) => new Set(rows.map((row) => row[name]));
    expect(seen('membership')).toEqual(new Set(['member', 'elsewhere', 'none']));
    expect([...seen('reason')]).toEqual(
      expect.arrayContaining([
        null,
        'group_roles_unavailable',
        'role_not_listed',
        'organization_role_not_served',
      ]),
    );
    expect(rows.filter(({ is_blanket }) => is_blanket).length).toBeGreaterThan(0);
    expect(rows.filter(({ action }) => action !== null).length).toBeGreaterThan(200);
  });

  it.each([
    'parquet, per-org',
    'csv, per-org',
    'arrow, per-org',
    'parquet, per-date',
    'ndjson, per-date',
    'csv, per-date',
    'arrow, per-date',
    'parquet, snappy',
    'ndjson, gzip',
    'csv, gzip',
  ])('gives the same rows in the same order from %s', async (name) => {
    expect(await rowsIn(join(root.path, name))).toEqual(await first());
  });
});

describe('what was not read', () => {
  it('is unknown, list by list', async () => {
    await using api = await startFixtureApi({ sizes: [9, 8, 7, 6], groups: 8 });
    await using root = await temporaryFolder();
    const [, , group] = [...api.records('groups')].map(({ id }) => String(id));
    const [role] = [...api.records('roles', uuidOf(api, 2))].map(({ id }) => String(id)).slice(-1);
    const unread = [
      `/v1/compliance/organizations/${uuidOf(api, 0)}/users`,
      `/v1/compliance/organizations/${uuidOf(api, 1)}/roles`,
      `/v1/compliance/organizations/${uuidOf(api, 2)}/roles/${role}/permissions`,
      `/v1/compliance/groups/${group}/members`,
    ];
    for (const path of unread) api.fault({ match: { path }, do: { type: 'answer', status: 403 } });
    await take(api, root.path, { streams: ACCESS, onOrgFailure: 'continue' });
    const directory = servedDirectory(api, RUN_DATE, ({ path }, parent) =>
      unread.includes(path.replace(/\{(\w+)\}/g, (_, column: string) => String(parent[column]))),
    );
    const rows = await rowsIn(root.path);
    expect(rowTexts(rows)).toEqual(rowTexts(referenceRows(directory)));
    expect(new Set(rows.map(({ reason }) => reason))).toEqual(
      new Set([
        null,
        'users_not_read',
        'roles_not_read',
        'role_permissions_not_read',
        'group_members_not_read',
        'group_roles_unavailable',
      ]),
    );
  });

  it('is unknown, table by table', async () => {
    await using api = await startFixtureApi({ sizes: [5, 4] });
    await using root = await temporaryFolder();
    const tables = {
      users: 'users',
      roles: 'roles',
      rolePermissions: 'role_permissions',
      groups: 'groups',
      groupMembers: 'group_members',
    };
    for (const [key, name] of Object.entries(tables)) {
      const folder = join(root.path, name);
      await take(api, folder, { streams: ACCESS.filter((stream) => stream !== name) });
      const directory = { ...servedDirectory(api, RUN_DATE), [key]: undefined };
      expect(rowTexts(await rowsIn(folder)), name).toEqual(rowTexts(referenceRows(directory)));
    }
  });

  it('is unknown where only some organisations were asked for: a member of a group may be in another one', async () => {
    await using api = await startFixtureApi({ sizes: [5, 4, 6] });
    await using root = await temporaryFolder();
    const org = [uuidOf(api, 1)];
    await take(api, root.path, { streams: ACCESS, org });
    const directory = servedDirectory(api, RUN_DATE);
    const scoped = Object.fromEntries(
      Object.entries(directory).map(([name, table]) => {
        if (!['users', 'roles', 'rolePermissions'].includes(name)) return [name, table];
        const isOf = (uuid: unknown) => org.includes(String(uuid));
        return [
          name,
          {
            lists: table.lists.filter(({ parent }: { parent: Record<string, string> }) =>
              isOf(parent.organization_uuid),
            ),
            rows: table.rows.filter((row: Record<string, unknown>) => isOf(row.organization_uuid)),
          },
        ];
      }),
    );
    const rows = await rowsIn(root.path);
    expect(rowTexts(rows)).toEqual(
      rowTexts(referenceRows({ ...directory, ...scoped, hasAllOrganizations: false })),
    );
    expect(rows.filter(({ membership }) => membership === 'none')).toEqual([]);
  });
});

describe('which snapshot is read', () => {
  it('is the newest one that was not pruned, or the one that is asked for', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using root = await temporaryFolder();
    const days = ['2026-11-20', '2026-11-21', '2026-11-22'];
    for (const runDate of days) await take(api, root.path, { runDate });
    await pruned(root.path, { keepDays: 2 });
    const dateOf = async (options?: Partial<EffectiveAccessOptions>) =>
      new Set((await rowsIn(root.path, options)).map(({ snapshot_date }) => snapshot_date));
    expect(await dateOf()).toEqual(new Set(['2026-11-22']));
    expect(await dateOf({ runDate: '2026-11-22' })).toEqual(new Set(['2026-11-22']));
    for (const runDate of ['2026-11-20', '2026-11-21']) {
      await expect(rowsIn(root.path, { runDate })).rejects.toMatchObject({
        code: 'snapshot_pruned',
        exitCode: 1,
        message: expect.stringContaining(runDate),
      });
    }
    await expect(rowsIn(root.path, { runDate: '2026-11-19' })).rejects.toMatchObject({
      code: 'snapshot_missing',
      exitCode: 2,
    });
  });

  it('is an older one where the newest was pruned', async () => {
    await using api = await startFixtureApi({ sizes: [2, 3] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-20' });
    await take(api, root.path, { runDate: '2026-11-21', org: [uuidOf(api, 0)] });
    const { pruned: dates } = await pruned(root.path, { keepDays: 1 });
    expect(dates.map(({ runDate }) => runDate)).toEqual(['2026-11-21']);
    const rows = await rowsIn(root.path);
    expect(new Set(rows.map(({ snapshot_date }) => snapshot_date))).toEqual(new Set(['2026-11-20']));
  });

  it('must be there', async () => {
    await using root = await temporaryFolder();
    await expect(rowsIn(root.path)).rejects.toMatchObject({ code: 'snapshot_missing' });
    expect(await readdir(root.path)).toEqual([]);
  });
});

describe('a file that is not the one that was published', () => {
  const damagedBy = async (change: (path: string) => Promise<void>) => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    const manifest: Manifest = await take(api, root.path, { streams: ACCESS });
    const file = manifestFiles(manifest).findLast(({ table }) => table === users.name);
    await change(join(root.path, String(file?.path)));
    const rows: AccessRow[] = [];
    const scratch = join(root.path, 'scratch');
    const read = async () => {
      for await (const batch of effectiveAccess({ storage: new LocalStorage(root.path), scratch }))
        rows.push(...batch);
    };
    const error: unknown = await read().then(
      () => undefined,
      (reason) => reason,
    );
    expect(rows.filter(({ user_id }) => user_id !== null)).toEqual([]);
    expect(await leftIn(scratch)).toEqual([]);
    return error;
  };

  it.each([
    [
      'a value was changed',
      async (path: string) => writeFile(path, (await readFile(path, 'utf8')).replace('user_', 'USER_')),
    ],
    ['a row was added', (path: string) => appendFile(path, '{}\n')],
    ['it was cut', async (path: string) => writeFile(path, (await readFile(path)).subarray(0, 200))],
    ['it is no such file at all', (path: string) => writeFile(path, 'nothing\n')],
  ])('ends the reading before anybody is named: %s', async (_, change) => {
    expect(await damagedBy(change)).toMatchObject({ code: 'file_differs' });
  });

  it('ends it too when it has not the rows that the manifest names', async () => {
    await using api = await startFixtureApi({ sizes: [4] });
    await using root = await temporaryFolder();
    const manifest = structuredClone(await take(api, root.path));
    const table = manifest.tables[users.name];
    const file = table?.slices[0]?.files[0] as FileEntry;
    file.rows += 1;
    const storage = new LocalStorage(root.path);
    const runId = newRunId(systemClock.now());
    await withDay({ storage, runDate: RUN_DATE, runId, clock: systemClock, signal: undefined }, (day) =>
      publish(day, rewritten(day, manifest, { action: 'compact', tables: manifest.tables })),
    );
    await expect(rowsIn(root.path)).rejects.toMatchObject({ code: 'rows_differ' });
    // It is the number alone that is wrong.
    const { findings } = await verify({ storage });
    expect(findings.map(({ problem }) => problem)).toContain('rows');
  });
});

describe('reading that ends early', () => {
  it('leaves nothing behind when its signal is aborted, and says why', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const aborting = new AbortController();
    const scratch = join(root.path, 'scratch');
    const reason = new Error('given up');
    const read = async () => {
      const storage = new LocalStorage(root.path);
      for await (const _ of effectiveAccess({ storage, scratch, signal: aborting.signal })) {
        expect(await leftIn(scratch)).toHaveLength(1);
        aborting.abort(reason);
      }
    };
    await expect(read()).rejects.toBe(reason);
    expect(await leftIn(scratch)).toEqual([]);
  });

  it('leaves nothing behind when its reader has had enough', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const scratch = join(root.path, 'scratch');
    for await (const _ of effectiveAccess({ storage: new LocalStorage(root.path), scratch })) break;
    expect(await leftIn(scratch)).toEqual([]);
  });
});
