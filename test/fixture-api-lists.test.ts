import { afterEach, describe, expect, test } from 'vitest';
import { type FixtureApi, type FixtureOptions, startFixtureApi } from '../fixtures/api/index.js';
import { get, pagesOf, pathOf } from './fixture-api-client.js';

let api: FixtureApi;
afterEach(() => api.close());

const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const uuidOf = (n: number) => String(api.organizations()[n]?.uuid);

describe.each(['organizations', 'users', 'roles'])('the list %s', (name) => {
  test('is known by its name, and served page by page as `records` has it', async () => {
    await start({ sizes: [7, 3, 5] });
    expect(api.lists).toContain(name);
    const uuid = name === 'organizations' ? undefined : uuidOf(1);
    const served = await pagesOf(api, pathOf(name, uuidOf(1)), 2);
    expect(served.flat()).toEqual([...api.records(name, uuid)]);
    expect(served.flat()).toHaveLength(api.list(name, uuid).count());
    expect(served.length).toBeGreaterThan(1);
    expect(api.requests.map(({ list, page }) => ({ list, page }))).toEqual(
      served.map((_, page) => ({ list: name, page })),
    );
  });

  test('can repeat, lose and gain records, and answer an empty page that is not the last', async () => {
    await start({ sizes: [7, 3, 5] });
    const list = api.list(name, name === 'organizations' ? undefined : uuidOf(0));
    const before = [...list.records()];
    list.insert();
    list.insert(0);
    list.remove(1); // the first of before
    list.repeat(1);
    const truth = [...list.records()];
    expect(truth.slice(1, -1)).toEqual(before.slice(1));
    expect(list.count()).toBe(before.length + 1);

    api.fault({ match: { list: name, page: 1 }, do: { type: 'empty-page' } });
    const pages = await pagesOf(api, pathOf(name, uuidOf(0)), 2);
    expect(pages[1]).toEqual([]);
    expect(pages.flat()).toEqual([...truth.slice(0, 2), before[1], ...truth.slice(2)]);
  });
});

test('a list that is not there, or that lacks the id of its organisation, is an error', async () => {
  await start();
  expect(() => api.records('rolls', uuidOf(0))).toThrow('no list rolls');
  expect(() => api.records('roles')).toThrow('org_uuid');
  expect(() => api.records('organizations', uuidOf(0))).toThrow('0 ids');
  expect(() => api.records('roles', 'nobody')).toThrow('Organization nobody not found');
  expect(() => api.fault({ match: { list: 'rolls' }, do: { type: 'reset' } })).toThrow('no list rolls');
});

test('an organisation that is linked during a walk is listed, and has users and roles', async () => {
  await start({ sizes: [1, 1] });
  api.list('organizations').insert();
  const listed = (await pagesOf(api, pathOf('organizations'))).flat();
  expect(listed).toHaveLength(3);
  const uuid = String(listed[2]?.uuid);
  expect((await pagesOf(api, pathOf('users', uuid))).flat()).toEqual([]);
  expect((await pagesOf(api, pathOf('roles', uuid))).flat()).toHaveLength(api.list('roles', uuid).count());
});

test('one budget is shared by all lists', async () => {
  await start({ budget: { algorithm: 'fixed-window', requests: 2, windowMs: 60_000 } });
  const answers = [];
  for (const list of ['users', 'roles', 'roles', 'organizations']) {
    answers.push((await get(api, pathOf(list, uuidOf(0)))).status);
  }
  expect(answers).toEqual([200, 200, 429, 429]);
});
