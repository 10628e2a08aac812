import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { clockOff, keyOf, read, servedKeys } from './harness.js';
import { DAY, HASTY, interrupt, kept, statesOf } from './interrupt.js';
import { logs, only, records, states } from './protocol.js';

describe('an interrupted read', () => {
  it('continues after the last state, whichever it was: nothing is skipped or repeated', async () => {
    await using api = await startFixtureApi({ sizes: [120, 0, 30, 260, 1] });
    const served = servedKeys(api);
    const full = await read(api, HASTY);
    const count = states(full.messages, 'users').length;
    expect(count).toBeGreaterThan(8);
    for (let cut = 1; cut < count; cut += 1) {
      const before = kept(await interrupt(api, cut));
      const after = await read(api, { ...HASTY, state: statesOf(before) });
      expect(after.exitCode).toBe(0);
      const keys = [...records(before, 'users'), ...records(after.messages, 'users')].map(keyOf);
      expect(new Set(keys)).toEqual(served);
      expect(keys).toHaveLength(served.size);
    }
  });

  it('continues in the list of organisations too', async () => {
    await using api = await startFixtureApi({ sizes: new Array(2500).fill(0) });
    const options = { streams: ['organizations'] };
    const before = kept(await interrupt(api, 2, options));
    expect(records(before, 'organizations')).toHaveLength(2000);
    const after = await read(api, { ...HASTY, ...options, state: statesOf(before) });
    const uuids = [...records(before, 'organizations'), ...records(after.messages, 'organizations')];
    expect(uuids.map(({ data }) => data.uuid)).toEqual(api.organizations().map(({ uuid }) => uuid));
    expect(after.text).not.toContain('ESTIMATE'); // the number of its own records is not that of the list
  });

  it('keeps its date across midnight, in both streams', async () => {
    await using api = await startFixtureApi({ sizes: [120, 30] });
    const before = kept(await interrupt(api, 2));
    const today = records(before, 'users')[0]?.data.snapshot_date;
    const after = await read(api, { clock: clockOff(DAY - 60_000), state: statesOf(before) });
    const dates = only(after.messages, 'RECORD').map(({ record }) => record.data.snapshot_date);
    expect(records(after.messages, 'organizations')).toHaveLength(2);
    expect(new Set(dates)).toEqual(new Set([today]));
    expect(states(after.messages, 'users').at(-1)?.stream.stream_state.snapshot_date).toBe(today);
  });

  it('starts over after 24 hours, with the date of the new day', async () => {
    await using api = await startFixtureApi({ sizes: [120, 30] });
    const before = kept(await interrupt(api, 2));
    const today = records(before, 'users')[0]?.data.snapshot_date;
    const after = await read(api, { clock: clockOff(DAY + 60_000), state: statesOf(before) });
    expect(new Set(records(after.messages, 'users').map(keyOf))).toEqual(servedKeys(api));
    expect(records(after.messages, 'users')[0]?.data.snapshot_date).not.toBe(today);
    expect(logs(after.messages, 'WARN')).toContainEqual(
      expect.stringMatching(/^users: starts over.*24 hours/),
    );
  });

  it('starts the list over whose token is no longer accepted, with a warning', async () => {
    await using api = await startFixtureApi({ sizes: [120, 260, 30] });
    const before = kept(await interrupt(api, 6));
    const { under_way } = states(before, 'users').at(-1)?.stream.stream_state ?? {};
    const { organization_uuid: uuid = '' } = (under_way as { parent: Record<string, string> }).parent;
    api.fault({ match: { organizationUuid: uuid, path: 'page=', times: 1 }, do: { type: 'stale-token' } });
    const after = await read(api, { ...HASTY, state: statesOf(before) });
    expect(after.exitCode).toBe(0);
    expect(logs(after.messages, 'WARN')).toContainEqual(
      expect.stringMatching(new RegExp(`^users: the list of ${uuid} starts over`)),
    );
    const again = records(after.messages, 'users').filter(({ data }) => data.organization_uuid === uuid);
    expect(again).toHaveLength(api.userCount(uuid));
    const keys = [...records(before, 'users'), ...records(after.messages, 'users')].map(keyOf);
    expect(new Set(keys)).toEqual(servedKeys(api));
  });

  it('starts the list of organisations over when its token is no longer accepted', async () => {
    await using api = await startFixtureApi({ sizes: new Array(1500).fill(0) });
    const options = { streams: ['organizations'] };
    const before = kept(await interrupt(api, 1, options));
    api.fault({ match: { path: 'page=', times: 1 }, do: { type: 'stale-token' } });
    const after = await read(api, { ...HASTY, ...options, state: statesOf(before) });
    expect(records(after.messages, 'organizations')).toHaveLength(1500);
    expect(logs(after.messages, 'WARN')).toEqual([
      expect.stringMatching(/^organizations: the list starts over/),
    ]);
  });

  it('starts over when an organisation before its position was unlinked, not when one after it was', async () => {
    for (const [at, startsOver] of [
      [0, true],
      [3, false],
    ] as const) {
      await using api = await startFixtureApi({ sizes: [60, 60, 120, 60] });
      const before = kept(await interrupt(api, 5));
      api.unlink(String(api.organizations()[at]?.uuid));
      const after = await read(api, { ...HASTY, state: statesOf(before) });
      expect(after.exitCode).toBe(0);
      const sent = records(after.messages, 'users').map(keyOf);
      const keys = startsOver ? sent : [...records(before, 'users').map(keyOf), ...sent];
      expect(new Set(keys)).toEqual(servedKeys(api));
      const warned = logs(after.messages, 'WARN').filter((text) => text.startsWith('users: starts over'));
      expect(warned).toHaveLength(startsOver ? 1 : 0);
    }
  });

  it.each([
    ['foreign', [{ type: 'GLOBAL', global: { shared_state: {} } }]],
    ['broken', '[{"type":"STREAM",'],
    [
      'of another source',
      [
        {
          type: 'STREAM',
          stream: { stream_descriptor: { name: 'users' }, stream_state: { cursor: '2026-11-01' } },
        },
      ],
    ],
  ])('is never empty with a state that is %s', async (_, state) => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    const { exitCode, messages } = await read(api, { state });
    expect(exitCode).toBe(0);
    expect(new Set(records(messages, 'users').map(keyOf))).toEqual(servedKeys(api));
    expect(logs(messages, 'WARN')).toHaveLength(1);
  });
});
