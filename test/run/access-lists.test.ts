import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { ComplianceEvent, Manifest, Slice, SnapshotOptions } from '../../src/index.js';
import { dataBelow, rowsOf, stagedRuns, take, temporaryFolder, uuidOf } from './support/tree.js';

const ACCESS = ['organizations', 'roles', 'role_permissions', 'groups', 'group_members'];
const SETTINGS = ['organizations', 'organization_settings', 'api_keys'];

const slicesOf = (manifest: Manifest, stream: string): readonly Slice[] =>
  manifest.tables[stream]?.slices ?? [];
const verdictsOf = (manifest: Manifest, stream: string): string[] =>
  slicesOf(manifest, stream).map(({ verdict }) => verdict);
const settingsPath = (api: FixtureApi, index: number): string =>
  `/v1/compliance/organizations/${uuidOf(api, index)}/settings`;
const requestsOf = (api: FixtureApi, path: string): number =>
  api.requests.filter((request) => request.path === path).length;

/** A snapshot, and what was reported while it was taken. */
async function observed(api: FixtureApi, root: string, options: Partial<SnapshotOptions>) {
  const events: ComplianceEvent[] = [];
  const manifest = await take(api, root, { ...options, onEvent: (event) => events.push(event) });
  return { manifest, unavailable: events.filter(({ type }) => type === 'lists-unavailable') };
}

describe('settings that are not enabled', () => {
  it('are reported once, are no failure, and leave no rows that look like an answer', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4, 2], settings: 'off' });
    await using root = await temporaryFolder();
    const { manifest, unavailable } = await observed(api, root.path, { streams: SETTINGS });
    expect(verdictsOf(manifest, 'organization_settings')).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
    ]);
    expect(verdictsOf(manifest, 'api_keys')).toEqual(['unavailable']);
    expect(manifest.totals).toMatchObject({ unavailable: 4, failed: 0, gone: 0 });
    expect(manifest.status).toBe('scoped'); // without users
    expect(unavailable).toEqual([
      { type: 'lists-unavailable', stream: 'organization_settings', lists: 3, of: 3 },
      { type: 'lists-unavailable', stream: 'api_keys', lists: 1, of: 1 },
    ]);
    expect(await rowsOf(root.path, manifest, 'organization_settings')).toEqual([]);
    expect(Object.keys(await dataBelow(root.path)).map((path) => path.split('/')[0])).toEqual([
      'organizations',
    ]);
    expect(slicesOf(manifest, 'api_keys')[0]).toMatchObject({
      parent: {},
      endpoint: settingsPath(api, 0),
      reason: { code: 'list_unavailable' },
    });
  });

  it('of one organisation leave the others as they are; the keys are read through the next one', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4, 2] });
    api.switchSettings('off', uuidOf(api, 0));
    await using root = await temporaryFolder();
    const { manifest, unavailable } = await observed(api, root.path, { streams: SETTINGS });
    expect(verdictsOf(manifest, 'organization_settings')).toEqual(['unavailable', 'complete', 'complete']);
    expect(unavailable).toEqual([
      { type: 'lists-unavailable', stream: 'organization_settings', lists: 1, of: 3 },
    ]);
    expect(slicesOf(manifest, 'api_keys')).toMatchObject([
      { parent: {}, endpoint: settingsPath(api, 1), verdict: 'complete', rows: 4 },
    ]);
    const served = [...api.records('api_keys')].map(({ id }) => id);
    expect((await rowsOf(root.path, manifest, 'api_keys')).map(({ id }) => id)).toEqual(served);
    // One for the settings of each organisation, and for the keys one of each that was tried.
    expect([0, 1, 2].map((index) => requestsOf(api, settingsPath(api, index)))).toEqual([2, 2, 1]);
  });

  it('never replace settings that were read on the same day, unless forced', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4] });
    await using root = await temporaryFolder();
    await take(api, root.path, { streams: SETTINGS });
    const before = await dataBelow(root.path);
    api.switchSettings('off');
    await expect(take(api, root.path, { streams: SETTINGS })).rejects.toMatchObject({
      code: 'unavailable_refused',
    });
    expect(await dataBelow(root.path)).toEqual(before);
    const forced = await take(api, root.path, { streams: SETTINGS, force: true });
    expect(forced.totals.unavailable).toBe(3);
  });
});

describe('the keys of the API', () => {
  it('are read through the organisations that were asked for, and through no other', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4, 2] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { streams: ['api_keys'], org: [uuidOf(api, 2)] });
    expect(slicesOf(manifest, 'api_keys')).toMatchObject([{ endpoint: settingsPath(api, 2), rows: 4 }]);
    expect(api.requests.map(({ path }) => path)).toEqual([
      '/v1/compliance/organizations',
      settingsPath(api, 2),
    ]);
  });

  it('are looked for in five organisations at most', async () => {
    await using api = await startFixtureApi({ sizes: [1, 1, 1, 1, 1, 1, 1], settings: 'off' });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { streams: ['api_keys'] });
    expect(verdictsOf(manifest, 'api_keys')).toEqual(['unavailable']);
    expect(api.requests.filter(({ path }) => path.endsWith('/settings'))).toHaveLength(5);
  });
});

describe('a stream that the key may not read', () => {
  it('is refused before more than the first list of each stream was requested', async () => {
    await using api = await startFixtureApi({
      sizes: Array.from({ length: 30 }, () => 2),
      scopes: ['read:compliance_org_data'],
      latency: 20,
    });
    await using root = await temporaryFolder();
    await expect(
      take(api, root.path, { streams: [...ACCESS, ...SETTINGS], concurrency: 4 }),
    ).rejects.toMatchObject({ code: 'missing_scope', failure: 'config' });
    // Organisations and groups, then one list of each of the four streams below them.
    expect(api.requests.length).toBeLessThanOrEqual(2 + 4);
    expect(await dataBelow(root.path)).toEqual({});
  });

  it('is refused when every list of it is, though some might have been allowed', async () => {
    await using api = await startFixtureApi({ sizes: [2, 2, 2] });
    api.fault({ match: { list: 'roles' }, do: { type: 'answer', status: 403 } });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { streams: ACCESS, onOrgFailure: 'continue' })).rejects.toMatchObject({
      code: 'permission_denied',
      failure: 'config',
    });
    expect(await dataBelow(root.path)).toEqual({});
  });
});

it('gives a list that one organisation refuses its verdict, and reads the others', async () => {
  await using api = await startFixtureApi({ sizes: [2, 2, 2] });
  const refused = `/v1/compliance/organizations/${uuidOf(api, 0)}/roles`;
  api.fault({ match: { path: refused }, do: { type: 'answer', status: 403 } });
  await using root = await temporaryFolder();
  const manifest = await take(api, root.path, { streams: ACCESS, onOrgFailure: 'continue' });
  expect(manifest.status).toBe('incomplete');
  expect(verdictsOf(manifest, 'roles')).toEqual(['failed', 'complete', 'complete']);
  expect(slicesOf(manifest, 'roles')[0]?.reason).toMatchObject({ code: 'permission_denied' });
  expect(await stagedRuns(`${root.path}/_staging`)).toEqual([]);
});

it('publishes the rest when the groups cannot be read, and says so', async () => {
  await using api = await startFixtureApi({ sizes: [2, 2] });
  api.fault({
    match: { list: 'groups' },
    do: { type: 'answer', status: 500, headers: { 'x-should-retry': 'false' } },
  });
  await using root = await temporaryFolder();
  await expect(take(api, root.path, { streams: ACCESS })).rejects.toMatchObject({ code: 'server_error' });
  const manifest = await take(api, root.path, { streams: ACCESS, onOrgFailure: 'continue' });
  expect(manifest.status).toBe('incomplete');
  expect([verdictsOf(manifest, 'groups'), verdictsOf(manifest, 'group_members')]).toEqual([['failed'], []]);
  expect(new Set(verdictsOf(manifest, 'role_permissions'))).toEqual(new Set(['complete']));
});

it('leaves a group out that was deleted while its members were to be read', async () => {
  await using api = await startFixtureApi({ sizes: [2, 2] });
  const [first] = [...api.records('groups')];
  api.fault({
    match: { list: 'group_members', times: 1 },
    do: { type: 'answer', status: 500, headers: { 'x-should-retry': 'false' } },
  });
  await using root = await temporaryFolder();
  await expect(take(api, root.path, { streams: ACCESS, concurrency: 1 })).rejects.toMatchObject({
    code: 'server_error',
  });
  api.list('groups').remove(0);
  const manifest = await take(api, root.path, { streams: ACCESS, concurrency: 1 });
  const groups = (await rowsOf(root.path, manifest, 'groups')).map(({ id }) => id);
  expect(groups).toEqual([...api.records('groups')].map(({ id }) => id));
  expect(groups).not.toContain(first?.id);
  expect(slicesOf(manifest, 'group_members').map(({ parent }) => parent.group_id)).toEqual(groups);
});

it('keeps a group without roles apart from one whose roles are not known', async () => {
  await using api = await startFixtureApi({ sizes: [2, 2], nullRoles: 'once' });
  await using root = await temporaryFolder();
  const rolesOf = async (runDate: string) => {
    const manifest = await take(api, root.path, { streams: ACCESS, runDate });
    return (await rowsOf(root.path, manifest, 'groups')).map(({ roles }) => roles);
  };
  const before = await rolesOf('2026-11-22');
  const after = await rolesOf('2026-11-23');
  expect([before[1], before[2]]).toEqual([null, []]);
  expect(after[1]).toEqual(expect.arrayContaining([expect.stringMatching(/^rbac_role_/)]));
  expect(after.with(1, null)).toEqual(before);
});
