import { afterEach, describe, expect, test } from 'vitest';
import {
  type FixtureApi,
  type FixtureOptions,
  type Scope,
  type ServedJson,
  startFixtureApi,
} from '../fixtures/api/index.js';
import { get, pagesOf, pathOf } from './fixture-api-client.js';

let api: FixtureApi;
afterEach(() => api.close());

const NAIVE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/;
const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const uuidOf = (n: number) => String(api.organizations()[n]?.uuid);
const rolesOf = (n: number) => [...api.records('roles', uuidOf(n))];
const allRoles = () => api.organizations().flatMap((_, n) => rolesOf(n));

describe('roles', () => {
  test('are two to eight in each organisation, the built-in ones with the same ids everywhere', async () => {
    await start({ organizations: 40 });
    const ids = api.organizations().map((_, n) => rolesOf(n).map(({ id }) => id as string));
    for (const [n, own] of ids.entries()) {
      expect(own.length).toBeGreaterThanOrEqual(2);
      expect(own.length).toBeLessThanOrEqual(8);
      expect(new Set(own).size).toBe(own.length);
      expect(new Set(rolesOf(n).map(({ name }) => name)).size).toBe(own.length);
      expect(own[0]).toBe(ids[0]?.[0]);
      expect(own[0]).toMatch(/^rbac_role_01[0-9A-Za-z]{24}$/);
      expect(ids.flat().filter((id) => id === own.at(-1))).toHaveLength(1);
    }
    expect(new Set(ids.map(({ length }) => length)).size).toBeGreaterThan(3);
  });

  test.each([1, 2, 3])(
    'show every form of times and descriptions in three organisations (seed %i)',
    async (seed) => {
      await start({ seed });
      const [roles, times] = [allRoles(), allRoles().flatMap((role) => [role.created_at, role.updated_at])];
      const texts = times.filter((time) => time !== null) as string[];
      const naive = texts.filter((time) => NAIVE.test(time));
      expect(texts.filter((time) => !NAIVE.test(time.replace(/Z$/, '')))).toEqual([]);
      expect(naive.length).toBeGreaterThan(texts.length / 2);
      expect(naive.length).toBeLessThan(texts.length);
      expect(roles).toContainEqual(expect.objectContaining({ created_at: null, updated_at: null }));
      expect(roles).toContainEqual(
        expect.objectContaining({ created_at: expect.any(String), updated_at: null }),
      );
      expect(roles).toContainEqual(expect.objectContaining({ description: null }));
      expect(roles.some((role) => !Object.hasOwn(role, 'description'))).toBe(true);
      expect(roles).toContainEqual(expect.objectContaining({ description: expect.any(String) }));
    },
  );

  test('depend on the seed and on nothing else', async () => {
    await start({ seed: 1, sizes: [1, 1] });
    const first = allRoles();
    await api.close();
    await start({ seed: 1, sizes: [900, 20] });
    expect(allRoles()).toEqual(first);
    await api.close();
    await start({ seed: 2, sizes: [1, 1] });
    expect(allRoles()).not.toEqual(first);
  });

  test('that are awkward arrive as they are known here, every one in the first organisation', async () => {
    await start({ sizes: [1, 1, 1], awkward: true });
    const roles = (await pagesOf(api, pathOf('roles', uuidOf(0)))).flat();
    expect(roles).toEqual(rolesOf(0));
    const names = roles.map(({ name }) => name);
    for (const name of ['', null, 42, "=cmd|'/c calc'!A0", 'lone high \ud83d surrogate']) {
      expect(names).toContain(name);
    }
    expect(names.some((name) => String(name).includes('👩‍👩‍👧‍👦'))).toBe(true);
    expect(roles.some(({ description }) => String(description).length > 90_000)).toBe(true);
    expect(roles.some((role) => Object.hasOwn(role, '__proto__'))).toBe(true);
    expect(roles).toContainEqual(
      expect.objectContaining({ is_builtin: true, permissions: expect.any(Array) }),
    );
    expect(roles.map((role) => role.created_at)).toContain('2025-03-12T18:22:41.123456789');
    expect(rolesOf(1).length).toBeLessThanOrEqual(8);
  });

  test('come in pages of 500 where no limit is given', async () => {
    await start({ sizes: [1] });
    const list = api.list('roles', uuidOf(0));
    while (list.count() < 1001) list.insert();
    const sizes = async (limit?: number) =>
      (await pagesOf(api, pathOf('roles', uuidOf(0)), limit)).map(({ length }) => length);
    expect(await sizes()).toEqual([500, 500, 1]);
    expect(await sizes(1000)).toEqual([1000, 1]);
  });
});

describe('refusals of roles', () => {
  test.each(['limit=0', 'limit=1001', 'limit=x', 'page=abc', 'page=', 'order=asc', 'limit=1&limit=2'])(
    '?%s is answered with 400',
    async (query) => {
      await start();
      const response = await get(api, `${pathOf('roles', uuidOf(0))}?${query}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(query.split('=')[0]);
    },
  );

  test.each<{ scopes: Scope[]; served: Record<string, number> }>([
    { scopes: ['read:compliance_org_data'], served: { organizations: 200, users: 403, roles: 200 } },
    { scopes: ['read:compliance_user_data'], served: { organizations: 403, users: 200, roles: 403 } },
    { scopes: ['read:org_audit'], served: { organizations: 200, users: 200, roles: 200 } },
    { scopes: [], served: { organizations: 403, users: 403, roles: 403 } },
  ])('the scopes $scopes', async ({ scopes, served }) => {
    await start({ scopes });
    for (const [list, status] of Object.entries(served)) {
      expect((await get(api, pathOf(list, uuidOf(0)))).status).toBe(status);
    }
    expect(await (await get(api, pathOf('roles', uuidOf(0)))).text()).toContain(
      served.roles === 200 ? 'rbac_role_' : "Needed one of: ['read:compliance_org_data', 'read:org_audit']",
    );
  });

  test('an organisation that is unknown or unlinked has none: 404, in the words that users have', async () => {
    await start();
    const gone = uuidOf(1);
    const before = rolesOf(1);
    api.unlink(gone);
    const unknown = '00000000-0000-4000-8000-000000000000';
    for (const uuid of [gone, unknown, gone.toUpperCase(), 'a%2Fb']) {
      const [roles, users] = [await get(api, pathOf('roles', uuid)), await get(api, pathOf('users', uuid))];
      expect([roles.status, users.status]).toEqual([404, 404]);
      const error = ((await roles.json()) as ServedJson).error;
      expect(error).toEqual(((await users.json()) as ServedJson).error);
      expect(error).toMatchObject({ message: `Organization ${decodeURIComponent(uuid)} not found` });
    }
    expect((await get(api, `${pathOf('roles', uuidOf(0))}/`)).status).toBe(404);
    expect([...api.records('roles', gone)]).toEqual(before);
  });

  test('a token is valid for the roles of one organisation only', async () => {
    await start({ sizes: [9, 9] });
    const body = await (await get(api, `${pathOf('roles', uuidOf(0))}?limit=1`)).json();
    const query = `?page=${encodeURIComponent((body as { next_page: string }).next_page)}`;
    expect((await get(api, pathOf('roles', uuidOf(0)) + query)).status).toBe(200);
    expect((await get(api, pathOf('roles', uuidOf(1)) + query)).status).toBe(400);
    expect((await get(api, pathOf('users', uuidOf(0)) + query)).status).toBe(400);
  });
});
