import { afterEach, describe, expect, test } from 'vitest';
import { type FixtureApi, type FixtureOptions, startFixtureApi } from '../fixtures/api/index.js';
import { pagesOf, pathOf } from './fixture-api-client.js';

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
});
