import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { streams } from '../../src/index.js';
import { badges } from '../streams/made-up/badges.js';
import { grants } from '../streams/made-up/grants.js';
import { madeUpLists } from '../streams/support/made-up-lists.js';
import { keyOf, read, servedKeys } from './harness.js';
import { HASTY, interrupt, kept, statesOf } from './interrupt.js';
import { errors, logs, records, states, statuses } from './protocol.js';

const registry = [...streams, badges, grants];
let api: FixtureApi;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [1, 0, 2], lists: madeUpLists });
});
afterAll(async () => await api.close());

describe.each(registry.map(({ name }) => name))('the stream %s', (name) => {
  const options = { ...HASTY, config: { ...HASTY.config, page_size: 3 }, registry, streams: [name] };

  it('is read completely, each record once and in the order served', async () => {
    const { exitCode, messages } = await read(api, options);
    expect(exitCode).toBe(0);
    expect(records(messages, name).map(keyOf)).toEqual([...servedKeys(api, name)]);
    expect(records(messages, name).length).toBeGreaterThan(1);
    expect(statuses(messages, name).at(-1)?.status).toBe('COMPLETE');
  });

  it('is resumed after any of its states (five of them): nothing is skipped or repeated', async () => {
    const count = states((await read(api, options)).messages, name).length;
    for (let cut = 1; cut < count; cut += Math.ceil(count / 5)) {
      const before = kept(await interrupt(api, cut, options));
      const after = await read(api, { ...options, state: statesOf(before) });
      const keys = [...records(before, name), ...records(after.messages, name)].map(keyOf);
      expect(keys).toEqual([...servedKeys(api, name)]);
    }
  });
});

describe('a stream whose parent has a parent', () => {
  const options = { registry, streams: [grants.name] };

  it('is resumed from a state whose keys come back in another order', async () => {
    const hasty = { ...options, ...HASTY, config: { ...HASTY.config, page_size: 2 } };
    const all = states((await read(api, hasty)).messages, grants.name);
    const cut = all.findIndex(({ stream }) => stream.stream_state.under_way !== undefined);
    const before = kept(await interrupt(api, cut + 1, hasty));
    const reversed = (json: unknown): unknown =>
      typeof json === 'object' && json !== null && !Array.isArray(json)
        ? Object.fromEntries(
            Object.entries(json)
              .reverse()
              .map(([key, value]) => [key, reversed(value)]),
          )
        : json;
    const state = statesOf(before).map(reversed);
    expect(JSON.stringify(state)).toMatch(/"parent":\{"role_id":"[^"]+","organization_uuid"/);
    const after = await read(api, { ...hasty, state });
    const keys = [...records(before, grants.name), ...records(after.messages, grants.name)].map(keyOf);
    expect(keys).toEqual([...servedKeys(api, grants.name)]);
  });

  it('leaves out an organisation that is unlinked while its roles are listed, with a warning', async () => {
    await using changing = await startFixtureApi({ sizes: [1, 1, 1], lists: madeUpLists });
    const gone = String(changing.organizations()[1]?.uuid);
    changing.fault({
      match: { list: 'organizations', nth: 1 },
      do: {
        type: 'envelope',
        change(page) {
          changing.unlink(gone);
          return page;
        },
      },
    });
    const { exitCode, messages } = await read(changing, options);
    expect(exitCode).toBe(0);
    expect(logs(messages, 'WARN')).toEqual([
      `grants: ${gone} is no longer listed, and its roles are left out.`,
    ]);
    expect(records(messages, grants.name).map(keyOf)).toEqual([...servedKeys(changing, grants.name)]);
    expect(statuses(messages, grants.name).at(-1)?.status).toBe('COMPLETE');
  });

  it('names a list that failed by the keys of all its parents', async () => {
    await using failing = await startFixtureApi({ sizes: [1, 1], lists: madeUpLists });
    const [organization = '', role = ''] = [...servedKeys(failing, 'roles')][1]?.split(' ') ?? [];
    failing.fault({ match: { path: `${role}/grants`, times: 1 }, do: { type: 'data-null' } });
    const first = await read(failing, options);
    expect(first.exitCode).toBe(1);
    expect(errors(first.messages)).toEqual([
      expect.objectContaining({ message: expect.stringContaining(`${organization}/${role}`) }),
    ]);
    const second = await read(failing, { ...options, state: statesOf(first.messages) });
    expect(second.exitCode).toBe(0);
    const failed = [...servedKeys(failing, grants.name)].filter((key) =>
      key.startsWith(`${organization} ${role} `),
    );
    expect(records(second.messages, grants.name).map(keyOf)).toEqual(failed);
  });
});

describe('settings', () => {
  const streams = ['organization_settings', 'api_keys'];

  it('come with JSON of any shape as text, and lists and booleans as they are', async () => {
    const { messages } = await read(api, { registry, streams });
    const settings = api
      .organizations()
      .flatMap(({ uuid }) => [...api.records('organization_settings', String(uuid))]);
    const sent = records(messages, 'organization_settings').map(({ data }) => data.value);
    expect(sent).toEqual(settings.map(({ value }) => (value === null ? null : JSON.stringify(value))));
    expect(new Set(settings.map(({ value }) => typeof value)).size).toBeGreaterThan(3);
    expect(records(messages, 'api_keys').map(({ data }) => [data.scopes, data.is_active])).toEqual(
      [...api.records('api_keys')].map(({ scopes, is_active }) => [scopes, is_active]),
    );
  });

  it('that are not enabled are one warning for each stream, and no failure', async () => {
    await using off = await startFixtureApi({ sizes: [1, 1, 1], settings: 'off' });
    const { exitCode, messages } = await read(off, { registry, streams });
    expect(exitCode).toBe(0);
    expect(logs(messages, 'WARN')).toEqual([
      'organization_settings: not enabled for this parent organisation (all 3 lists were answered with 404); nothing is known of its rows.',
      'api_keys: not enabled for this parent organisation (its list was answered with 404); nothing is known of its rows.',
    ]);
    for (const name of streams) {
      expect(records(messages, name)).toEqual([]);
      expect(statuses(messages, name).at(-1)?.status).toBe('COMPLETE');
      expect(states(messages, name).at(-1)?.stream.stream_state).toMatchObject({ finished: true });
    }
  });

  it('of one organisation that are not enabled leave the others as they are', async () => {
    await using partly = await startFixtureApi({ sizes: [1, 1, 1] });
    partly.switchSettings('off', String(partly.organizations()[1]?.uuid));
    const { messages } = await read(partly, { registry, streams: ['organization_settings'] });
    expect(logs(messages, 'WARN')).toEqual([
      'organization_settings: 1 of 3 lists are not available (answered with 404); nothing is known of their rows.',
    ]);
    const uuids = new Set(
      records(messages, 'organization_settings').map(({ data }) => data.organization_uuid),
    );
    expect(uuids).toEqual(new Set([0, 2].map((index) => partly.organizations()[index]?.uuid)));
  });

  it('that are not enabled are counted over all attempts, and not asked for again', async () => {
    await using off = await startFixtureApi({ sizes: [1, 1, 1, 1], settings: 'off' });
    const options = { ...HASTY, streams: ['organization_settings'] };
    const before = kept(await interrupt(off, 3, options));
    const after = await read(off, { ...options, state: statesOf(before) });
    expect(after.exitCode).toBe(0);
    expect(logs(after.messages, 'WARN')).toEqual([
      'organization_settings: not enabled for this parent organisation (all 4 lists were answered with 404); nothing is known of its rows.',
    ]);
    const asked = off
      .organizations()
      .map(({ uuid }) => off.requests.filter(({ path }) => path.includes(String(uuid))));
    expect(asked.slice(0, 2).map(({ length }) => length)).toEqual([1, 1]);
  });

  it('that are not enabled any more do not count as failed where they failed before', async () => {
    await using api = await startFixtureApi({ sizes: [1, 1] });
    const streams = ['organization_settings'];
    const uuid = String(api.organizations()[0]?.uuid);
    api.fault({ match: { organizationUuid: uuid, times: 1 }, do: { type: 'answer', status: 503 } });
    const first = await read(api, { streams });
    expect(first.exitCode).toBe(1);
    api.switchSettings('off', uuid);
    const second = await read(api, { streams, state: statesOf(first.messages) });
    expect(second.exitCode).toBe(0);
    expect(logs(second.messages, 'WARN')).toEqual([expect.stringContaining(': 1 of 2 lists are')]);
    expect(records(second.messages, 'organization_settings')).toEqual([]);
  });

  it('are not asked for, where no organisation is listed, and neither are the keys', async () => {
    await using none = await startFixtureApi({ sizes: [] });
    const { exitCode, messages } = await read(none, { registry, streams });
    expect(exitCode).toBe(0);
    expect(logs(messages, 'WARN')).toEqual([expect.stringMatching(/^api_keys: .*there is none/)]);
    expect(none.requests).toHaveLength(2);
  });

  it('are looked for until an organisation has them, where the keys are the same for all', async () => {
    await using partly = await startFixtureApi({ sizes: [1, 1, 1] });
    partly.switchSettings('off', String(partly.organizations()[0]?.uuid));
    const { exitCode, messages } = await read(partly, { registry, streams: ['api_keys'] });
    expect(exitCode).toBe(0);
    expect(logs(messages, 'WARN')).toEqual([]);
    expect(records(messages, 'api_keys').map(keyOf)).toEqual([...servedKeys(partly, 'api_keys')]);
  });
});

it('gives a record whose key has nulls a key without', async () => {
  const { messages } = await read(api, { registry, streams: ['role_permissions'] });
  const keys = records(messages, 'role_permissions').map(({ data }) => [
    data.record_key,
    JSON.stringify([data.action, data.resource_type, data.resource_id]),
  ]);
  expect(keys.filter(([key, expected]) => key !== expected)).toEqual([]);
  expect(keys.some(([key]) => String(key).includes('null'))).toBe(true);
});
