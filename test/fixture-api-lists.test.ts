import { afterEach, describe, expect, test } from 'vitest';
import { type FixtureApi, type FixtureOptions, startFixtureApi } from '../fixtures/api/index.js';
import { allIds, errorOf, get, largest, PAGED, pagesOf, pathOf } from './fixture-api-client.js';

let api: FixtureApi;
afterEach(() => api.close());

const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const uuidOf = (n: number) => String(api.organizations()[n]?.uuid);
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

describe.each(PAGED)('the list %s', (name) => {
  test('is known by its name, and served page by page as `records` has it', async () => {
    await start({ sizes: [7, 3, 5] });
    expect(api.lists).toContain(name);
    const ids = largest(api, name);
    const served = await pagesOf(api, pathOf(name, ...ids), 2);
    expect(served.flat()).toEqual([...api.records(name, ...ids)]);
    expect(served.flat()).toHaveLength(api.list(name, ...ids).count());
    expect(served.length).toBeGreaterThan(1);
    expect(
      api.requests.map(({ list, page, ids: asked }) => ({ list, page, ids: Object.values(asked) })),
    ).toEqual(served.map((_, page) => ({ list: name, page, ids })));
  });

  test('can repeat, lose and gain records, and answer an empty page that is not the last', async () => {
    await start({ sizes: [7, 3, 5] });
    const ids = largest(api, name);
    const list = api.list(name, ...ids);
    const before = [...list.records()];
    list.insert();
    list.insert(0);
    list.remove(1); // the first of before
    list.repeat(1);
    const truth = [...list.records()];
    expect(truth.slice(1, -1)).toEqual(before.slice(1));
    expect(list.count()).toBe(before.length + 1);

    api.fault({ match: { list: name, page: 1 }, do: { type: 'empty-page' } });
    const pages = await pagesOf(api, pathOf(name, ...ids), 2);
    expect(pages[1]).toEqual([]);
    expect(pages.flat()).toEqual([...truth.slice(0, 2), before[1], ...truth.slice(2)]);
  });

  test('comes in pages of its default size where no limit is given, and of 1,000 at most', async () => {
    await start({ sizes: [7, 3, 5] });
    const ids = largest(api, name);
    while (api.list(name, ...ids).count() < 1001) api.list(name, ...ids).insert();
    const sizes = async (limit?: number) =>
      (await pagesOf(api, pathOf(name, ...ids), limit)).map(({ length }) => length);
    expect(await sizes()).toEqual(name === 'organizations' ? [1000, 1] : [500, 500, 1]);
    expect(await sizes(1000)).toEqual([1000, 1]);
  });

  test('names no record twice, however many are added', async () => {
    await start({ sizes: [7, 3, 5] });
    for (const ids of allIds(api, name)) {
      for (let n = 0; n < 40; n += 1) api.list(name, ...ids).insert();
      const keys = [...api.records(name, ...ids)].map(
        ({ uuid, id, user_id, action, resource_type, resource_id }) =>
          JSON.stringify(uuid ?? id ?? user_id ?? [action, resource_type, resource_id]),
      );
      expect(new Set(keys).size, ids.join()).toBe(keys.length);
    }
  });

  test.each(['limit=0', 'limit=1001', 'limit=x', 'page=abc', 'page=', 'order=asc', 'limit=1&limit=2'])(
    'answers ?%s with 400',
    async (query) => {
      await start();
      const error = await errorOf(await get(api, `${pathOf(name, ...largest(api, name))}?${query}`));
      expect(error).toMatchObject({ status: 400, type: 'invalid_request_error' });
      expect(error.message).toContain(query.split('=')[0]);
    },
  );

  test('has tokens that are valid for one list only', async () => {
    await start({ sizes: [9, 9] });
    const [ids, others] = [largest(api, name), largest(api, name, 1)];
    const { next_page } = (await (await get(api, `${pathOf(name, ...ids)}?limit=1`)).json()) as {
      next_page: string;
    };
    const query = `?page=${encodeURIComponent(next_page)}`;
    expect((await get(api, pathOf(name, ...ids) + query)).status).toBe(200);
    if (others.length > 0) expect((await get(api, pathOf(name, ...others) + query)).status).toBe(400);
    const another = name === 'groups' ? 'organizations' : 'groups';
    expect((await get(api, pathOf(another) + query)).status).toBe(400);
  });
});

describe('a list below a record that is not listed', () => {
  test.each(['users', 'roles', 'role_permissions', 'organization_settings'])(
    'answers 404 with the UUID of the organisation: %s',
    async (list) => {
      await start();
      const ids = largest(api, list);
      const [gone = '', ...rest] = ids;
      const before = [...api.records(list, ...ids)];
      api.unlink(gone);
      for (const uuid of [gone, UNKNOWN, uuidOf(0).toUpperCase(), 'a%2Fb']) {
        expect(await errorOf(await get(api, pathOf(list, uuid, ...rest)))).toEqual({
          status: 404,
          type: 'not_found_error',
          message: `The "${decodeURIComponent(uuid)}" organization does not exist or the requester is not authorized to access it.`,
        });
      }
      expect([...api.records(list, ...ids)]).toEqual(before);
      expect((await get(api, `${pathOf(list, uuidOf(0), ...rest)}/`)).status).toBe(404);
    },
  );

  test.each([
    { list: 'role_permissions', above: 'roles', message: 'Role not found.' },
    { list: 'group_members', above: 'groups', message: 'Group not found.' },
  ])('answers 404 with the kind of the record: $list', async ({ list, above, message }) => {
    await start();
    const ids = largest(api, list);
    const parents = ids.slice(0, -1);
    expect((await get(api, pathOf(list, ...ids))).status).toBe(200);
    const before = [...api.records(list, ...ids)];
    const position = [...api.records(above, ...parents)].findIndex(({ id }) => id === ids.at(-1));
    api.list(above, ...parents).remove(position);
    for (const id of [String(ids.at(-1)), `${ids.at(-1)}x`, 'a%2Fb']) {
      const error = await errorOf(await get(api, pathOf(list, ...parents, id)));
      expect(error).toEqual({ status: 404, type: 'not_found_error', message });
    }
    const listed = (await pagesOf(api, pathOf(above, ...parents))).flat();
    expect(listed.map(({ id }) => id)).not.toContain(ids.at(-1));
    expect([...api.records(list, ...ids)]).toEqual(before);
    for (const { id } of listed)
      expect((await get(api, pathOf(list, ...parents, String(id)))).status).toBe(200);
  });

  test('of one organisation is not there below another', async () => {
    await start({ sizes: [1, 1] });
    const custom = String([...api.records('roles', uuidOf(0))].at(-1)?.id);
    expect((await get(api, pathOf('role_permissions', uuidOf(0), custom))).status).toBe(200);
    expect(await errorOf(await get(api, pathOf('role_permissions', uuidOf(1), custom)))).toMatchObject({
      message: 'Role not found.',
    });
  });
});

test('a list that is not there, or that lacks an id, is an error', async () => {
  await start();
  expect(() => api.records('rolls', uuidOf(0))).toThrow('no list rolls');
  expect(() => api.records('roles')).toThrow('org_uuid');
  expect(() => api.records('role_permissions', uuidOf(0))).toThrow('2 ids (org_uuid, role_id), not 1');
  expect(() => api.records('organizations', uuidOf(0))).toThrow('0 ids');
  expect(() => api.records('roles', 'nobody')).toThrow('The "nobody" organization does not exist');
  expect(() => api.records('role_permissions', uuidOf(0), 'none')).toThrow('Role not found.');
  expect(() => api.records('group_members', 'none')).toThrow('Group not found.');
  expect(() => api.fault({ match: { list: 'rolls' }, do: { type: 'reset' } })).toThrow('no list rolls');
});

test('an organisation that is linked during a walk is listed, and has lists', async () => {
  await start({ sizes: [1, 1] });
  api.list('organizations').insert();
  const listed = (await pagesOf(api, pathOf('organizations'))).flat();
  expect(listed).toHaveLength(3);
  const uuid = String(listed[2]?.uuid);
  expect((await pagesOf(api, pathOf('users', uuid))).flat()).toEqual([]);
  const roles = (await pagesOf(api, pathOf('roles', uuid))).flat();
  expect(roles).toHaveLength(api.list('roles', uuid).count());
  for (const { id } of roles) {
    const permissions = (await pagesOf(api, pathOf('role_permissions', uuid, String(id)))).flat();
    expect(permissions).toEqual([...api.records('role_permissions', uuid, String(id))]);
  }
  expect((await get(api, pathOf('organization_settings', uuid))).status).toBe(200);
});

test('one budget is shared by all lists', async () => {
  await start({ budget: { algorithm: 'fixed-window', requests: 3, windowMs: 60_000 } });
  const answers = [];
  for (const list of ['users', 'groups', 'organization_settings', 'role_permissions', 'organizations']) {
    answers.push((await get(api, pathOf(list, ...largest(api, list)))).status);
  }
  expect(answers).toEqual([200, 200, 200, 429, 429]);
});
