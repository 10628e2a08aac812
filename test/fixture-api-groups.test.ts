import { afterEach, describe, expect, test } from 'vitest';
import {
  type FixtureApi,
  type FixtureOptions,
  type ServedJson,
  startFixtureApi,
} from '../fixtures/api/index.js';
import { allIds, allRecords, get, pagesOf, pathOf } from './fixture-api-client.js';

let api: FixtureApi;
afterEach(() => api.close());

const NAIVE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/;
const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const uuidOf = (n: number) => String(api.organizations()[n]?.uuid);
const groups = () => [...api.records('groups')];
const membersOf = (group: ServedJson | undefined) => [...api.records('group_members', String(group?.id))];
/** The organisations that list a record with this id. */
const homesOf = (list: string, id: unknown) =>
  api.organizations().flatMap(({ uuid }) => {
    const found = [...api.records(list, String(uuid))].some((record) => record.id === id);
    return found ? [String(uuid)] : [];
  });

/** What is true of the times of roles, groups and members: most of them have no offset, some are null. */
function expectEveryForm(records: readonly ServedJson[]): void {
  const texts = records
    .flatMap(({ created_at, updated_at }) => [created_at, updated_at])
    .filter((time) => time !== null);
  const naive = texts.filter((time) => NAIVE.test(String(time)));
  expect(texts.filter((time) => !NAIVE.test(String(time).replace(/Z$/, '')))).toEqual([]);
  expect(naive.length).toBeGreaterThan(texts.length / 2);
  expect(naive.length).toBeLessThan(texts.length);
  expect(records).toContainEqual(
    expect.objectContaining({ created_at: expect.any(String), updated_at: null }),
  );
  expect(records).toContainEqual(expect.objectContaining({ created_at: null, updated_at: null }));
}

describe('permissions of roles', () => {
  test.each([1, 2, 3])('are of every form, and some roles have none (seed %i)', async (seed) => {
    await start({ seed });
    const all = allRecords(api, 'role_permissions');
    expect(new Set(all.flatMap((permission) => Object.keys(permission)))).toEqual(
      new Set(['action', 'resource_type', 'resource_id']),
    );
    expect(new Set(all.map(({ resource_type }) => resource_type))).toEqual(
      new Set(['organization', 'connector', 'connector_tool', 'connector_scope', 'all_connectors', null]),
    );
    for (const action of ['capability_access_all', 'capability_access_all_ga']) {
      expect(all.filter((permission) => permission.action === action)).toHaveLength(1);
    }
    const uuids = new RegExp(
      `^(?:${api
        .organizations()
        .map(({ uuid }) => uuid)
        .join('|')})$`,
    );
    expect(all).toContainEqual({ action: 'web_search', resource_type: null, resource_id: null });
    expect(all).toContainEqual({
      action: 'claude_code',
      resource_type: 'organization',
      resource_id: expect.stringMatching(uuids),
    });
    const counts = allIds(api, 'role_permissions').map((ids) => api.list('role_permissions', ...ids).count());
    expect(counts).toContain(0);
    expect(Math.max(...counts)).toBeLessThanOrEqual(12);
    expect(new Set(counts).size).toBeGreaterThan(4);
  });

  test('of built-in roles differ from one organisation to another, although their ids do not', async () => {
    await start({ organizations: 20 });
    const idOf = (n: number) => String([...api.records('roles', uuidOf(n))][1]?.id);
    const [first = 0, second = 0] = api.organizations().flatMap((_, n) => {
      const isBuiltIn = homesOf('roles', idOf(n)).length > 1;
      return isBuiltIn && api.list('role_permissions', uuidOf(n), idOf(n)).count() > 0 ? [n] : [];
    });
    expect(idOf(first)).toBe(idOf(second));
    expect([...api.records('role_permissions', uuidOf(first), idOf(first))]).not.toEqual([
      ...api.records('role_permissions', uuidOf(second), idOf(second)),
    ]);
  });
});

describe('groups', () => {
  test.each([1, 2, 3])('show every form of sources, roles and times (seed %i)', async (seed) => {
    await start({ seed });
    const all = groups();
    expect(all).toHaveLength(6);
    expect(new Set(all.map(({ source_type }) => source_type))).toEqual(
      new Set(['direct', 'scim', 'directory_sync']),
    );
    expect(all.map(({ roles }) => roles).filter((roles) => roles === null)).toHaveLength(1);
    expect(all.filter(({ roles }) => Array.isArray(roles) && roles.length === 0)).toHaveLength(1);
    const homes = all.map(({ roles }) => ((roles ?? []) as string[]).map((id) => homesOf('roles', id)));
    expect(homes.filter((roles) => roles.some((uuids) => uuids.length === 0))).toHaveLength(1);
    expect(homes.some((roles) => roles.some((uuids) => uuids.length === api.organizations().length))).toBe(
      true,
    );
    expect(homes.some((roles) => roles.length === 1 && roles[0]?.length === 1)).toBe(true);
    expect(
      homes.some((roles) => new Set(roles.filter((uuids) => uuids.length === 1).flat()).size > 1),
      'roles of several organisations',
    ).toBe(true);
    expect(new Set(all.map(({ id }) => String(id))).size).toBe(6);
    expect(String(all[0]?.id)).toMatch(/^rbac_group_01[0-9A-Za-z]{24}$/);
    await api.close();
    await start({ seed, groups: 40 });
    expectEveryForm(groups());
  });

  test('have roles that are null until they are healed', async () => {
    await start();
    const [, before] = groups();
    expect(before?.roles).toBeNull();
    expect((await pagesOf(api, pathOf('groups'))).flat()[1]).toEqual(before);
    api.healRoles();
    const [, after] = (await pagesOf(api, pathOf('groups'))).flat();
    expect(after).toEqual({
      ...before,
      roles: [expect.stringMatching(/^rbac_role_/), expect.stringMatching(/^rbac_role_/)],
    });
    expect(groups()[1]).toEqual(after);
  });

  test('have roles that are null in the first answer only, where that was chosen', async () => {
    await start({ nullRoles: 'once' });
    expect(groups()[1]?.roles).toBeNull();
    const rolesIn = async (query: string) =>
      ((await (await get(api, `${pathOf('groups')}?${query}`)).json()) as { data: ServedJson[] }).data.map(
        ({ roles }) => roles,
      );
    expect(await rolesIn('limit=1')).not.toContain(null);
    expect(await rolesIn('limit=2')).toEqual([expect.any(Array), null]);
    expect(await rolesIn('limit=2')).toEqual([expect.any(Array), expect.any(Array)]);
    expect(groups()[1]?.roles).toEqual(expect.any(Array));
    await api.close();
    await start({ nullRoles: 'never' });
    expect(groups().map(({ roles }) => roles)).not.toContain(null);
  });

  test('are chosen by the beginning of their name, page by page', async () => {
    await start({ groups: 100 });
    const prefixed = groups().filter(({ name }) => String(name).startsWith('Finance "EMEA" 2'));
    expect(prefixed.length).toBeGreaterThan(1);
    const query = `name_prefix=${encodeURIComponent('Finance "EMEA" 2')}`;
    const ask = async (more: string) =>
      (await (await get(api, `${pathOf('groups')}?${query}${more}`)).json()) as {
        data: ServedJson[];
        next_page: string | null;
      };
    const first = await ask('&limit=1');
    const rest = await ask(`&page=${encodeURIComponent(String(first.next_page))}`);
    expect([...first.data, ...rest.data]).toEqual(prefixed);
    expect(rest.next_page).toBeNull();
    const other = `${pathOf('groups')}?name_prefix=F&page=${encodeURIComponent(String(first.next_page))}`;
    expect((await get(api, other)).status).toBe(400);
    expect(((await ask('&name_prefix=E')) as unknown as { error: ServedJson }).error.message).toContain(
      'name_prefix',
    );
    const users = await get(api, `${pathOf('users', uuidOf(0))}?name_prefix=E`);
    expect(users.status).toBe(400);
  });
});

describe('members of groups', () => {
  test.each([1, 2, 3])(
    'are of all organisations and of none, each once in a group (seed %i)',
    async (seed) => {
      await start({ seed, sizes: [300, 100, 81] });
      const users = new Map(allRecords(api, 'users').map(({ id, email }) => [id, email]));
      const counts = groups().map((group) => membersOf(group).length);
      expect(counts.filter((count) => count === 0)).toHaveLength(1);
      for (const group of groups()) {
        const ids = membersOf(group).map(({ user_id }) => user_id);
        expect(new Set(ids).size).toBe(ids.length);
      }
      const members = allRecords(api, 'group_members');
      const [known, left] = [true, false].map((is) =>
        members.filter(({ user_id }) => users.has(user_id as string) === is),
      );
      expect(known?.filter(({ user_id, email }) => users.get(user_id as string) !== email)).toEqual([]);
      expect(left?.length).toBeGreaterThanOrEqual(1);
      expect(new Set(known?.flatMap(({ user_id }) => homesOf('users', user_id))).size).toBe(3);
      for (const { user_id } of left ?? []) expect(String(user_id)).toMatch(/^user_01[0-9A-Za-z]{24}$/);
      // A group with a role of one organisation has members who belong to others only.
      const elsewhere = groups().filter((group) => {
        const [home, ...others] = ((group.roles ?? []) as string[]).flatMap((id) => homesOf('roles', id));
        const isElsewhere = ({ user_id }: ServedJson) => {
          const homes = homesOf('users', user_id);
          return homes.length > 0 && !homes.includes(String(home));
        };
        return home !== undefined && others.length === 0 && membersOf(group).some(isElsewhere);
      });
      expect(elsewhere.length).toBeGreaterThanOrEqual(1);
      await api.close();
      await start({ seed, groups: 20 });
      expectEveryForm(allRecords(api, 'group_members'));
    },
  );

  test('are everybody once, where a group is as large as the directory, and then people who have left', async () => {
    await start({ sizes: [3, 500, 0, 170], groupSizes: [0, 666, 680] });
    const users = new Set(allRecords(api, 'users').map(({ id }) => id));
    const [none, most, all] = groups().map((group) => membersOf(group).map(({ user_id }) => user_id));
    expect(none).toEqual([]);
    expect(users.size).toBe(667); // six of 673 memberships are of people of the first organisation
    expect(new Set(most).size).toBe(666);
    expect((most ?? []).every((id) => users.has(id as string))).toBe(true);
    expect(new Set(all).size).toBe(680);
    expect((all ?? []).filter((id) => users.has(id as string))).toHaveLength(667);
  });

  test('can be hundreds of thousands in ten thousand groups, made one at a time', async () => {
    await start({ sizes: [400_000, 300_000], groups: 10_000, members: 40 });
    const sizes = groups().map(({ id }) => api.list('group_members', String(id)).count());
    expect(sizes.reduce((sum, size) => sum + size)).toBe(9_999 * 40);
    const last = groups().at(-1);
    const served = (await pagesOf(api, pathOf('group_members', String(last?.id)), 1000)).flat();
    expect(served).toHaveLength(40);
    expect(served).toEqual(membersOf(last));
  });

  test('without a directory are people who have left', async () => {
    await start({ sizes: [] });
    expect(allRecords(api, 'group_members').length).toBeGreaterThan(0);
    expect(groups().flatMap(({ roles }) => roles ?? [])).toHaveLength(1); // the one that nobody lists
  });
});

test('groups, members and permissions depend on the seed and on nothing else', async () => {
  const data = async (seed: number) => {
    await start({ seed, awkward: true, users: 50 });
    const all = ['role_permissions', 'groups', 'group_members'].map((list) => allRecords(api, list));
    await api.close();
    return JSON.stringify(all);
  };
  const [one, again, two] = [await data(1), await data(1), await data(2)];
  expect(again).toBe(one);
  expect(two).not.toBe(one);
});

describe('with awkward records', () => {
  /** Every record that is served, page by page, and compared with what `records` has. */
  async function served(list: string, ...ids: string[]): Promise<ServedJson[]> {
    const records = (await pagesOf(api, pathOf(list, ...ids), 200)).flat();
    expect(records).toEqual([...api.records(list, ...ids)]);
    return records;
  }
  const isOwn = (name: string) => (record: ServedJson) => Object.hasOwn(record, name);

  test('groups have awkward texts, times, roles and unknown fields', async () => {
    await start({ sizes: [1], awkward: true });
    const all = await served('groups');
    const names = all.map(({ name }) => name);
    for (const name of ['', null, 42, "=cmd|'/c calc'!A0", 'lone high \ud83d surrogate'])
      expect(names).toContainEqual(name);
    expect(all.some(({ description }) => String(description).length > 90_000)).toBe(true);
    for (const roles of [null, 42, {}, 'rbac_role_01one', [null]])
      expect(all.map((group) => group.roles)).toContainEqual(roles);
    expect(all.some((group) => !Object.hasOwn(group, 'roles'))).toBe(true);
    expect(all.map((group) => group.updated_at)).toContain('2025-03-12T18:22:41.123456789');
    expect(all.some(isOwn('__proto__'))).toBe(true);
    expect(new Set(all.map(({ id }) => String(id))).size).toBe(all.length);
    expect(all.every(({ id }) => /^rbac_group_01\w{24}$/.test(String(id)))).toBe(true);
  });

  test('members have awkward addresses and times, never an awkward id', async () => {
    await start({ sizes: [9], awkward: true });
    const all = await served('group_members', String(groups()[0]?.id));
    const addresses = all.map(({ email }) => email);
    for (const email of ['', null, 42, false, 'NUL\u0000inside']) expect(addresses).toContainEqual(email);
    expect(all.some((member) => !Object.hasOwn(member, 'email'))).toBe(true);
    expect(all.map(({ created_at }) => created_at)).toContain('2016-12-31T23:59:60Z');
    expect(all.some(isOwn('__proto__'))).toBe(true);
    expect(new Set(all.map(({ user_id }) => user_id)).size).toBe(all.length);
    expect(all.every(({ user_id }) => /^user_01\w{24}$/.test(String(user_id)))).toBe(true);
  });

  test('permissions have unknown fields, and keys that are odd but possible', async () => {
    await start({ sizes: [1, 1], awkward: true });
    for (const ids of allIds(api, 'role_permissions')) {
      const all = [...api.records('role_permissions', ...ids)];
      const keys = all.map(({ action, resource_type = null, resource_id = null }) => [
        action,
        resource_type,
        resource_id,
      ]);
      expect(keys.filter(([action]) => typeof action !== 'string' || action === '')).toEqual([]);
      expect(
        keys.flat().filter((part) => part !== null && (typeof part !== 'string' || !part.isWellFormed())),
      ).toEqual([]);
      expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(keys.length);
    }
    const [ids = []] = allIds(api, 'role_permissions').filter(
      (some) => api.list('role_permissions', ...some).count() > 12,
    );
    const all = await served('role_permissions', ...ids);
    expect(all.map(({ resource_id }) => resource_id)).toContain('connector_01x/say "hello", twice');
    expect(all.some((permission) => !Object.hasOwn(permission, 'resource_type'))).toBe(true);
    expect(all.some(isOwn('__proto__'))).toBe(true);
    expect(all).toContainEqual(expect.objectContaining({ granted_by: { user_id: 'user_01x', at: null } }));
  });
});
