import { afterEach, describe, expect, test } from 'vitest';
import { type FixtureApi, type FixtureOptions, type Scope, startFixtureApi } from '../fixtures/api/index.js';
import { errorOf, get, LISTS, largest, pathOf } from './fixture-api-client.js';

let api: FixtureApi;
afterEach(() => api.close());

const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const ask = (list: string, key?: string) =>
  fetch(api.url + pathOf(list, ...largest(api, list)), {
    headers: key === undefined ? {} : { 'x-api-key': key },
  });

const HIDDEN = { status: 404, type: 'not_found_error', message: 'Not found' };
const INVALID = { status: 401, type: 'authentication_error', message: 'API key is invalid.' };
const USER_DATA = ['users', 'group_members'];
const needed = (list: string) =>
  `['read:compliance_${USER_DATA.includes(list) ? 'user' : 'org'}_data', 'read:org_audit']`;

describe.each(LISTS)('keys for %s', (list) => {
  const hidden = list === 'organization_settings' ? INVALID : HIDDEN;

  test.each([
    { what: 'no key', key: undefined, error: hidden },
    { what: 'a key for models', key: 'sk-ant-api03-x', error: hidden },
    { what: 'a wrong key', key: 'sk-ant-api01-wrong', error: INVALID },
    { what: 'an unknown kind of key', key: 'sk-ant-oat01-x', error: INVALID },
    { what: 'an empty key', key: '', error: INVALID },
  ])('$what is refused', async ({ key, error }) => {
    await start();
    expect(await errorOf(await ask(list, key))).toEqual(error);
  });

  test('an Admin key has one scope, which is not enough', async () => {
    await start();
    expect(await errorOf(await ask(list, 'sk-ant-admin01-x'))).toEqual({
      status: 403,
      type: 'permission_error',
      message: `Missing required scopes. Got: ['read:compliance_activities'] Needed one of: ${needed(list)}`,
    });
  });

  test.each<{ scopes: Scope[]; lists: readonly string[] }>([
    { scopes: ['read:compliance_org_data'], lists: LISTS.filter((one) => !USER_DATA.includes(one)) },
    { scopes: ['read:compliance_user_data'], lists: USER_DATA },
    { scopes: ['read:org_audit'], lists: LISTS },
    { scopes: [], lists: [] },
  ])('the scopes $scopes', async ({ scopes, lists }) => {
    await start({ scopes });
    const response = await ask(list, api.key);
    expect(response.status).toBe(lists.includes(list) ? 200 : 403);
    if (response.status === 403)
      expect((await errorOf(response)).message).toContain(`Needed one of: ${needed(list)}`);
  });
});

test('an Admin key spends a unit of the budget, and a key that is refused spends none', async () => {
  await start({ budget: { algorithm: 'fixed-window', requests: 1, windowMs: 60_000 } });
  expect((await ask('organization_settings', 'sk-ant-api03-x')).status).toBe(401);
  expect((await ask('groups', 'sk-ant-admin01-x')).status).toBe(403);
  expect((await get(api, pathOf('groups'))).status).toBe(429);
});
