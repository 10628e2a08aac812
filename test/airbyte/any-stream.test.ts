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

describe.each([
  ['of the registry', 'roles'],
  ['with a key of two fields', badges.name],
  ['whose parent has a parent', grants.name],
])('a stream %s', (_, name) => {
  const options = { ...HASTY, config: { ...HASTY.config, page_size: 3 }, registry, streams: [name] };

  it('is read completely, each record once and in the order served', async () => {
    const { exitCode, messages } = await read(api, options);
    expect(exitCode).toBe(0);
    expect(records(messages, name).map(keyOf)).toEqual([...servedKeys(api, name)]);
    expect(records(messages, name).length).toBeGreaterThan(10);
    expect(statuses(messages, name).at(-1)?.status).toBe('COMPLETE');
  });

  it('is resumed after any of its states (eight of them): nothing is skipped or repeated', async () => {
    const count = states((await read(api, options)).messages, name).length;
    expect(count).toBeGreaterThan(5);
    for (let cut = 1; cut < count; cut += Math.ceil(count / 8)) {
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
      expect.stringMatching(new RegExp(`^roles: ${gone} is no longer listed`)),
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
