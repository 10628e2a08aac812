import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, readManifest, type SnapshotSettings } from '../../src/index.js';
import { filesBelow, memberships, RUN_DATE, rowsOf, take, temporaryFolder, uuidOf } from './support/tree.js';

type Scope = Partial<Pick<SnapshotSettings, 'streams' | 'org'>>;

describe('a run that reads less than everything', () => {
  it('of the organisations is scoped, and says which', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { org: [uuidOf(api, 1).toUpperCase()] });
    expect(manifest).toMatchObject({
      status: 'scoped',
      scope: { streams: ['organizations', 'users'], organizations: [uuidOf(api, 1).toUpperCase()] },
      tables: { organizations: { rows: 1 }, users: { rows: 6 } },
    });
    const users = memberships(await rowsOf(root.path, manifest, 'users'));
    expect(new Set(users.map((key) => key.split(' ')[0]))).toEqual(new Set([uuidOf(api, 1)]));
  });

  it.each([
    ['organizations', ['organizations']],
    ['users', ['users']],
    ['roles', ['roles']],
    ['users, roles', ['users', 'roles']],
  ])('of the default streams is scoped: %s', async (_, streams) => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    expect(await take(api, root.path, { streams })).toMatchObject({ status: 'scoped', scope: { streams } });
  });

  it('is complete with the default streams and another one', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    const streams = ['organizations', 'users', 'roles'];
    expect(await take(api, root.path, { streams })).toMatchObject({ status: 'complete' });
  });

  it('names an organisation that the key does not list', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const unknown = '00000000-0000-4000-8000-000000000000';
    const run = take(api, root.path, { org: [unknown] });
    await expect(run).rejects.toMatchObject({ code: 'organization_not_listed', exitCode: 2 });
    await expect(run).rejects.toThrow(unknown);
  });
});

describe('the current snapshot of a day', () => {
  const first = (api: Awaited<ReturnType<typeof startFixtureApi>>): Record<string, Scope> => ({
    everything: { streams: ['organizations', 'users', 'roles'] },
    defaults: {},
    organizations: { streams: ['organizations'] },
    roles: { streams: ['roles'] },
    'one organisation': { org: [uuidOf(api, 0)] },
    'both organisations': { org: [uuidOf(api, 0), uuidOf(api, 1)] },
    'the other organisation': { org: [uuidOf(api, 1)] },
  });

  it.each([
    ['defaults', 'everything'],
    ['organizations', 'defaults'],
    ['roles', 'defaults'],
    ['defaults', 'roles'],
    ['one organisation', 'defaults'],
    ['both organisations', 'defaults'],
    ['one organisation', 'both organisations'],
    ['one organisation', 'the other organisation'],
  ])(
    'is not replaced by one of less (%s, where there is %s), before anything is asked of the API',
    async (less, more) => {
      await using api = await startFixtureApi({ sizes: [5, 6] });
      await using root = await temporaryFolder();
      await take(api, root.path, first(api)[more]);
      const before = await filesBelow(root.path);
      const asked = api.requests.length;
      const run = take(api, root.path, { ...first(api)[less], force: true });
      await expect(run).rejects.toMatchObject({ name: 'RefusedError', code: 'scope_refused', exitCode: 1 });
      expect(api.requests).toHaveLength(asked);
      expect(await filesBelow(root.path)).toEqual(before);
    },
  );

  it.each([
    ['everything', 'defaults'],
    ['everything', 'roles'],
    ['defaults', 'organizations'],
    ['defaults', 'one organisation'],
    ['both organisations', 'one organisation'],
    ['one organisation', 'one organisation'],
  ])('is replaced by one of as much or more (%s, where there is %s)', async (more, less) => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    await take(api, root.path, first(api)[less]);
    const manifest = await take(api, root.path, first(api)[more]);
    expect(await readManifest(new LocalStorage(root.path), RUN_DATE)).toEqual(manifest);
  });
});
