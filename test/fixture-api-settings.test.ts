import { afterEach, describe, expect, test } from 'vitest';
import {
  type FixtureApi,
  type FixtureOptions,
  type ServedJson,
  startFixtureApi,
} from '../fixtures/api/index.js';
import { errorOf, get, pathOf } from './fixture-api-client.js';

let api: FixtureApi;
afterEach(() => api.close());

const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const uuidOf = (n: number) => String(api.organizations()[n]?.uuid);
const ask = (n: number, query = '') => get(api, pathOf('organization_settings', uuidOf(n)) + query);
const settingsOf = async (n: number) =>
  (await (await ask(n)).json()) as { settings: ServedJson[]; api_keys: ServedJson[] };
const notFound = (n: number) => ({
  status: 404,
  type: 'not_found_error',
  message: `The "${uuidOf(n)}" organization does not exist or the requester is not authorized to access it.`,
});

describe('settings', () => {
  test('are one object, with the same keys of the API everywhere', async () => {
    await start();
    for (const [n, { uuid }] of api.organizations().entries()) {
      expect(await settingsOf(n)).toEqual({
        type: 'effective_organization_settings',
        organization_id: uuid,
        settings: [...api.records('organization_settings', String(uuid))],
        api_keys: [...api.records('api_keys')],
      });
    }
    expect(api.requests[0]).toMatchObject({
      list: 'organization_settings',
      organizationUuid: uuidOf(0),
      page: 0,
    });
  });

  test.each([1, 2, 3])(
    'are of every type, in the same order, and one is missing in some (seed %i)',
    async (seed) => {
      await start({ seed });
      const [all, fewer] = [await settingsOf(0), await settingsOf(1)].map(({ settings }) => settings);
      const valuesOf = (type: string) =>
        all?.flatMap((setting) => (setting.type === type ? [setting.value] : []));
      expect(valuesOf('boolean')).toEqual(expect.arrayContaining([true, false]));
      expect(valuesOf('integer')).toEqual([expect.any(Number), null]);
      expect(valuesOf('string')).toEqual([expect.any(String), null]);
      expect(valuesOf('string_list')).toEqual([[expect.any(String), expect.any(String)], []]);
      expect(['login_only', 'jit_permissive', 'jit_advanced', 'scim_permissive', 'scim_advanced']).toContain(
        valuesOf('provisioning_mode')?.[0],
      );
      expect(valuesOf('data_retention')).toEqual([
        {
          conversations: { type: 'fixed', duration: 30, timescale: 'day' },
          projects: { type: 'fixed', duration: 6, timescale: 'month' },
          feedback: { type: 'indefinite' },
        },
      ]);
      expect(valuesOf('network_policy')).toEqual([expect.objectContaining({ mode: 'allow_list' })]);
      const names = all?.map(({ name }) => name);
      expect(new Set(names).size).toBe(12);
      expect(fewer?.map(({ name }) => name)).toEqual(names?.filter((name) => name !== 'custom_terms_url'));
    },
  );

  test('answer 404 in the words of an unknown organisation: for one, for all, and for all but one', async () => {
    await start();
    api.switchSettings('off', uuidOf(1));
    expect(await errorOf(await ask(1))).toEqual(notFound(1));
    expect((await ask(0)).status).toBe(200);
    expect((await get(api, pathOf('users', uuidOf(1)))).status).toBe(200);
    api.switchSettings('on', uuidOf(1));
    api.switchSettings('off');
    expect([(await ask(0)).status, (await ask(1)).status, (await ask(2)).status]).toEqual([404, 200, 404]);
    await api.close();
    await start({ settings: 'off' });
    for (const n of [0, 1, 2]) expect(await errorOf(await ask(n))).toEqual(notFound(n));
    api.switchSettings('on');
    expect((await ask(0)).status).toBe(200);
  });

  test.each(['limit=10', 'page=x', 'order=asc'])('refuse ?%s', async (query) => {
    await start();
    const error = await errorOf(await ask(0, `?${query}`));
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(error.message).toContain(query.split('=')[0]);
  });

  test('can change, and lose and gain keys', async () => {
    await start();
    const before = await settingsOf(0);
    api.list('organization_settings', uuidOf(0)).remove(0);
    api.list('api_keys').insert();
    const after = await settingsOf(0);
    expect(after.settings).toEqual(before.settings.slice(1));
    expect(after.api_keys.slice(0, -1)).toEqual(before.api_keys);
    expect((await settingsOf(1)).api_keys).toEqual(after.api_keys);
  });

  test('can lack their lists, or be changed at will', async () => {
    await start();
    api.fault({ match: { list: 'organization_settings', nth: 1 }, do: { type: 'data-null' } });
    const change = ({ settings: _, ...rest }: object & { settings?: unknown }) => rest;
    api.fault({ match: { list: 'organization_settings', nth: 2 }, do: { type: 'envelope', change } });
    expect(await settingsOf(0)).toMatchObject({ organization_id: uuidOf(0), settings: null, api_keys: null });
    expect(await settingsOf(0)).toEqual({
      type: 'effective_organization_settings',
      organization_id: uuidOf(0),
      api_keys: [...api.records('api_keys')],
    });
    expect((await settingsOf(0)).settings).toHaveLength(12);
  });
});

describe('keys of the API', () => {
  test('never show a secret, and some are inactive, some expire', async () => {
    await start();
    const keys = [...api.records('api_keys')];
    for (const key of keys) {
      const fields = ['id', 'name', 'scopes', 'is_active', 'created_at', 'created_by_id', 'expires_at'];
      expect(Object.keys(key)).toEqual(fields);
      expect(JSON.stringify(key)).not.toContain('sk-ant');
    }
    expect(keys.map(({ is_active }) => is_active)).toEqual(expect.arrayContaining([true, false]));
    expect(keys.map(({ created_by_id }) => created_by_id)).toContain(null);
    expect(keys.map(({ expires_at }) => expires_at === null)).toEqual(expect.arrayContaining([true, false]));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(keys.length);
    const users = new Set([0, 1, 2].flatMap((n) => [...api.users(uuidOf(n))].map(({ id }) => id)));
    expect(keys.filter(({ created_by_id }) => created_by_id !== null && !users.has(created_by_id))).toEqual(
      [],
    );
  });

  test('and settings that are awkward arrive as they are known here', async () => {
    await start({ sizes: [3, 3], awkward: true });
    const { settings, api_keys } = await settingsOf(0);
    expect(settings).toEqual([...api.records('organization_settings', uuidOf(0))]);
    expect(api_keys).toEqual([...api.records('api_keys')]);
    const values = settings.map(({ value }) => value);
    for (const value of [null, true, -0, 1e21, [], {}, 'lone high \ud83d surrogate'])
      expect(values).toContainEqual(value);
    expect(settings.some((setting) => !Object.hasOwn(setting, 'value'))).toBe(true);
    expect(settings.map(({ type }) => type)).toContain('hologram');
    expect(settings.some((setting) => Object.hasOwn(setting, '__proto__'))).toBe(true);
    expect(settings.every(({ name }) => /^\w+$/.test(String(name)))).toBe(true);
    expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
    for (const scopes of [null, 'read:org_audit', {}])
      expect(api_keys.map((key) => key.scopes)).toContainEqual(scopes);
    for (const is of ['true', 0, null]) expect(api_keys.map((key) => key.is_active)).toContain(is);
    expect(api_keys.every(({ id }) => /^apikey_01\w{24}$/.test(String(id)))).toBe(true);
  });
});
