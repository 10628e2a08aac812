import { describe, expect, it } from 'vitest';
import { type FixtureApi, type ListHandle, startFixtureApi } from '../../fixtures/api/index.js';
import { keyOf, read, servedKeys } from './harness.js';
import { HASTY, interrupt, kept, statesOf } from './interrupt.js';
import { errors, logs, only, records, states, statuses } from './protocol.js';

const uuidAt = (api: FixtureApi, at: number): string => String(api.organizations()[at]?.uuid);
const start = () => startFixtureApi({ sizes: [1, 1, 1] });
const startsOver = expect.stringContaining('starts over, since its state was written for another list');
const refusal = {
  type: 'answer',
  status: 403,
  body: { error: { type: 'permission_error', message: 'No.' } },
} as const;

describe.each<[string, string, (api: FixtureApi) => ListHandle]>([
  ['roles of an organisation', 'role_permissions', (api) => api.list('roles', uuidAt(api, 1))],
  ['groups', 'group_members', (api) => api.list('groups')],
])('the %s that change between two attempts', (_, name, parentsOf) => {
  const options = { ...HASTY, streams: [name] };

  /** Reads until two of the lists in question are done, lets them change, and reads on. */
  async function readAround(api: FixtureApi, change: (parents: ListHandle) => void) {
    const { messages } = await read(api, options);
    const second = String([...parentsOf(api).records()][1]?.id);
    const organization = name === 'role_permissions' ? uuidAt(api, 1) : '';
    const last = messages.findLastIndex((message) => {
      const text = message.type === 'RECORD' ? JSON.stringify(message) : '';
      return text.includes(second) && text.includes(organization);
    });
    const cut = states(messages.slice(0, last), name).length + 1;
    expect(cut).toBeLessThan(states(messages, name).length - 1);
    const before = kept(await interrupt(api, cut, options));
    change(parentsOf(api));
    const after = await read(api, { ...options, state: statesOf(before) });
    expect(after.exitCode).toBe(0);
    expect(statuses(after.messages, name).at(-1)?.status).toBe('COMPLETE');
    const keysOf = (sent: typeof before) => records(sent, name).map(keyOf);
    return { warnings: logs(after.messages, 'WARN'), first: keysOf(before), second: keysOf(after.messages) };
  }

  it.each<[string, (parents: ListHandle) => void]>([
    ['removed', (parents) => parents.remove(0)],
    ['added', (parents) => parents.insert(0)],
  ])('start the stream over, where one before the position was %s', async (_, change) => {
    await using api = await start();
    const { warnings, first, second } = await readAround(api, change);
    expect(first.length).toBeGreaterThan(0);
    expect(warnings).toEqual([startsOver]);
    expect(second).toEqual([...servedKeys(api, name)]);
  });

  it.each<[string, (parents: ListHandle) => void]>([
    ['removed', (parents) => parents.remove(parents.count() - 1)],
    ['added', (parents) => parents.insert()],
  ])('do not, where one after the position was %s: nothing is skipped or repeated', async (_, change) => {
    await using api = await start();
    const { warnings, first, second } = await readAround(api, change);
    expect(first.length).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
    expect([...first, ...second]).toEqual([...servedKeys(api, name)]);
  });

  it('are left out with a warning, where one is removed just before its list is read', async () => {
    await using api = await start();
    const parent = String([...parentsOf(api).records()][1]?.id);
    const { exitCode, messages } = await read(api, {
      streams: [name],
      // The first state comes when everything is listed.
      onChunk(text) {
        if (text.includes('"STATE"') && ids(parentsOf(api)).includes(parent)) parentsOf(api).remove(1);
      },
      config: { concurrency: 1 },
    });
    expect(exitCode).toBe(0);
    expect(errors(messages)).toEqual([]);
    expect(logs(messages, 'WARN')).toEqual([expect.stringContaining(`${parent} is no longer listed`)]);
    expect(new Set(records(messages, name).map(keyOf))).toEqual(servedKeys(api, name));
  });
});

describe('the roles of one organisation that cannot be listed', () => {
  const streams = ['role_permissions'];
  const below = (api: FixtureApi, uuid: string) =>
    [...servedKeys(api, 'role_permissions')].filter((key) => key.startsWith(uuid));

  it.each([1, 2])('leave the permissions of the others as they are (organisation %s)', async (at) => {
    await using api = await start();
    const uuid = uuidAt(api, at);
    api.fault({ match: { list: 'roles', organizationUuid: uuid, times: 2 }, do: refusal });
    const first = await read(api, { streams });
    expect(first.exitCode).toBe(1);
    expect(errors(first.messages)).toEqual([
      expect.objectContaining({
        failure_type: 'config_error',
        stream_descriptor: { name: 'role_permissions' },
        message: expect.stringContaining(`1 of 3 lists of roles could not be read: ${uuid}.`),
      }),
    ]);
    expect(logs(first.messages, 'ERROR')).toEqual([
      expect.stringMatching(
        new RegExp(`^role_permissions: the roles of ${uuid} could not be listed\\. .*403`),
      ),
    ]);
    const others = [...servedKeys(api, 'role_permissions')].filter((key) => !key.startsWith(uuid));
    expect(records(first.messages, 'role_permissions').map(keyOf)).toEqual(others);

    // The same again: nothing is left to be read, and it still counts as incomplete.
    const second = await read(api, { streams, state: statesOf(first.messages) });
    expect(second.exitCode).toBe(1);
    expect(records(second.messages, 'role_permissions')).toEqual([]);

    const third = await read(api, { streams, state: statesOf(second.messages) });
    expect(third.exitCode).toBe(0);
    const read3 = records(third.messages, 'role_permissions').map(keyOf);
    if (at === 2) expect(read3).toEqual(below(api, uuid));
    else {
      expect(logs(third.messages, 'WARN')).toEqual([startsOver]);
      expect(read3).toEqual([...servedKeys(api, 'role_permissions')]);
    }
  });

  it('do not cost the position of an attempt before, in which they were listed', async () => {
    await using api = await start();
    const options = { ...HASTY, streams };
    const count = states((await read(api, options)).messages, 'role_permissions').length;
    const before = kept(await interrupt(api, count - 2, options));
    api.fault({
      match: { list: 'roles', organizationUuid: uuidAt(api, 0), times: 1 },
      do: { type: 'answer', status: 503 },
    });
    const failed = await read(api, { ...options, state: statesOf(before) });
    expect(failed.exitCode).toBe(1);
    expect(errors(failed.messages)).toEqual([expect.objectContaining({ failure_type: 'transient_error' })]);
    expect(only(failed.messages, 'STATE')).toEqual([]);
    const after = await read(api, { ...options, state: statesOf(before) });
    const keys = [before, after.messages].flatMap((messages) =>
      records(messages, 'role_permissions').map(keyOf),
    );
    expect(keys).toEqual([...servedKeys(api, 'role_permissions')]);
  });

  it('for the same reason as 19 before it end the stream', async () => {
    await using api = await startFixtureApi({ sizes: new Array(40).fill(0) });
    api.fault({ match: { list: 'roles' }, do: refusal });
    const { exitCode, messages } = await read(api, { streams });
    expect(exitCode).toBe(1);
    expect(errors(messages)).toEqual([
      expect.objectContaining({
        failure_type: 'config_error',
        message: expect.stringContaining('20 of 20 lists of roles'),
      }),
    ]);
    expect(api.requests.filter(({ list }) => list === 'roles')).toHaveLength(20);
  });
});

describe('a key without the scope of a stream below another', () => {
  it.each([
    ['group_members', ['read:compliance_org_data'], 'read:compliance_user_data'],
    ['role_permissions', ['read:compliance_user_data'], 'read:compliance_org_data'],
  ] as const)('ends %s before any record of it is sent', async (name, scopes, missing) => {
    await using api = await startFixtureApi({ sizes: [1, 1], scopes });
    const { exitCode, messages } = await read(api, { streams: [name] });
    expect(exitCode).toBe(1);
    expect(records(messages, name)).toEqual([]);
    expect(errors(messages)).toEqual([
      expect.objectContaining({ failure_type: 'config_error', message: expect.stringContaining(missing) }),
    ]);
  });
});

const ids = (list: ListHandle): string[] => [...list.records()].map(({ id }) => String(id));
