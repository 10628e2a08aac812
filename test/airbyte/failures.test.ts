import { describe, expect, it } from 'vitest';
import { traceOf } from '../../connectors/airbyte/failure.js';
import { type Fault, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { keyOf, read, servedKeys } from './harness.js';
import { errors, logs, only, records, states, statuses } from './protocol.js';

const uuidAt = (api: FixtureApi, at: number): string => String(api.organizations()[at]?.uuid);
const refusal: Fault = {
  type: 'answer',
  status: 403,
  body: { error: { type: 'permission_error', message: 'No access to this organization.' } },
};

describe('an organisation that is gone', () => {
  it('is a warning, and the stream is COMPLETE', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20, 10] });
    const gone = uuidAt(api, 1);
    const { exitCode, messages } = await read(api, {
      onChunk(text) {
        // The first state comes when the organisations are listed, and before their users are asked for.
        if (text.includes('"STATE"') && text.includes('"users"')) api.unlink(gone);
      },
    });
    expect(exitCode).toBe(0);
    expect(errors(messages)).toEqual([]);
    expect(logs(messages, 'WARN')).toEqual([expect.stringContaining(gone)]);
    expect(statuses(messages, 'users').at(-1)?.status).toBe('COMPLETE');
    expect(new Set(records(messages, 'users').map(keyOf))).toEqual(servedKeys(api));
  });
});

describe('an organisation that fails', () => {
  it.each<[string, Fault, string]>([
    ['with 403', refusal, 'config_error'],
    ['with 503 to the last attempt', { type: 'answer', status: 503 }, 'transient_error'],
    ['since a page lacks its data', { type: 'data-null' }, 'system_error'],
    ['with 404 though it is listed', notFound(), 'system_error'],
  ])('%s does not stop the others, and is read next time', async (_, fault, failure) => {
    await using api = await startFixtureApi({ sizes: [30, 20, 10] });
    const uuid = uuidAt(api, 1);
    api.fault({ match: { organizationUuid: uuid, times: 1 }, do: fault });
    const first = await read(api);
    expect(first.exitCode).toBe(1);
    expect(errors(first.messages)).toEqual([
      expect.objectContaining({
        failure_type: failure,
        stream_descriptor: { name: 'users' },
        message: expect.stringContaining(uuid),
      }),
    ]);
    expect(statuses(first.messages, 'organizations').at(-1)?.status).toBe('COMPLETE');
    expect(statuses(first.messages, 'users').at(-1)?.status).toBe('INCOMPLETE');
    const others = [...servedKeys(api)].filter((key) => !key.startsWith(uuid));
    expect(records(first.messages, 'users').map(keyOf)).toEqual(others);
    expect(states(first.messages, 'users').at(-1)?.stream.stream_state).toMatchObject({
      finished: false,
      done: 3,
      failed: [1],
    });

    const second = await read(api, { state: only(first.messages, 'STATE').map(({ state }) => state) });
    expect(second.exitCode).toBe(0);
    expect(records(second.messages, 'users').map(keyOf)).toEqual(
      [...servedKeys(api)].filter((key) => key.startsWith(uuid)),
    );
    expect(states(second.messages, 'users').at(-1)?.stream.stream_state.finished).toBe(true);
  });

  it('in the middle of its list has sent the pages before, and is read from the start next time', async () => {
    await using api = await startFixtureApi({ sizes: [250] });
    api.fault({ match: { page: 2, times: 1 }, do: { type: 'reset' } });
    const first = await read(api, { config: { page_size: 100 } });
    expect(first.exitCode).toBe(1);
    expect(records(first.messages, 'users')).toHaveLength(200);
    const second = await read(api, { state: only(first.messages, 'STATE').map(({ state }) => state) });
    expect(new Set(records(second.messages, 'users').map(keyOf))).toEqual(servedKeys(api));
  });

  it('for the same reason as 19 before it ends the stream: the reason is not in the organisations', async () => {
    await using api = await startFixtureApi({ sizes: new Array(60).fill(1) });
    api.fault({ match: { path: '/users' }, do: refusal });
    const { exitCode, messages } = await read(api);
    expect(exitCode).toBe(1);
    expect(errors(messages)).toHaveLength(1);
    expect(errors(messages)[0]?.message).toMatch(/^20 of 60 lists of users .* and 10 more\./);
    expect(api.requests.filter(({ path }) => path.includes('/users')).length).toBeLessThan(30);
  });

  it('because the key was refused ends the stream at once', async () => {
    await using api = await startFixtureApi({ sizes: new Array(60).fill(1) });
    const body = { error: { type: 'authentication_error', message: 'The key is deactivated.' } };
    api.fault({ match: { path: '/users' }, do: { type: 'answer', status: 401, body } });
    const { exitCode, messages } = await read(api);
    expect(exitCode).toBe(1);
    expect(errors(messages)).toEqual([expect.objectContaining({ failure_type: 'config_error' })]);
    expect(api.requests.filter(({ path }) => path.includes('/users')).length).toBeLessThan(17);
  });
});

describe('a key without the scope of a stream', () => {
  it('ends that stream at once, and names the scope', async () => {
    const scopes = ['read:compliance_org_data'] as const;
    await using api = await startFixtureApi({ sizes: new Array(60).fill(1), scopes });
    const { exitCode, messages } = await read(api, { streams: ['users', 'roles'] });
    expect(exitCode).toBe(1);
    expect(errors(messages)).toEqual([
      expect.objectContaining({
        failure_type: 'config_error',
        stream_descriptor: { name: 'users' },
        message: expect.stringContaining('read:compliance_user_data'),
      }),
    ]);
    expect(api.requests.filter(({ list }) => list === 'users').length).toBeLessThan(17);
    expect(statuses(messages, 'roles').at(-1)?.status).toBe('COMPLETE');
  });
});

describe('a stream that fails', () => {
  it('does not stop the other', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    // organizations asks for the list first, users second.
    api.fault({ match: { path: /organizations$/, nth: 1 }, do: { type: 'answer', status: 500 } });
    const { exitCode, messages } = await read(api);
    expect(exitCode).toBe(1);
    expect(statuses(messages, 'organizations').at(-1)?.status).toBe('INCOMPLETE');
    expect(statuses(messages, 'users').at(-1)?.status).toBe('COMPLETE');
    expect(new Set(records(messages, 'users').map(keyOf))).toEqual(servedKeys(api));
  });

  it('because of a bug says so, with a stack trace and without a value', () => {
    const error = traceOf(new TypeError('no such thing as secret-4711'), 'users');
    expect(error).toMatchObject({ failure_type: 'system_error', stream_descriptor: { name: 'users' } });
    expect(error.stack_trace).toMatch(/at .*failures\.test/);
    expect(JSON.stringify(error)).not.toContain('4711');
  });
});

describe('waiting for the budget', () => {
  it('is reported as RATE_LIMITED with the time it ends, and is over when records come', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    const body = { error: { type: 'rate_limit_error', message: 'Slow down.' } };
    const headers = { 'retry-after': '0.6' };
    api.fault({ match: { path: '/users', nth: 1 }, do: { type: 'answer', status: 429, body, headers } });
    const before = Date.now();
    const { exitCode, messages } = await read(api);
    expect(exitCode).toBe(0);
    const reported = statuses(messages, 'users');
    expect(reported.map(({ status }) => status)).toEqual([
      'STARTED',
      'RUNNING',
      'RUNNING',
      'RUNNING',
      'COMPLETE',
    ]);
    const reset = reported[2]?.reasons?.[0]?.rate_limited.quota_reset ?? 0;
    expect(reset).toBeGreaterThan(before + 500);
    expect(reset).toBeLessThan(before + 30_000);
    expect(reported[3]?.reasons).toBeUndefined();
    expect(new Set(records(messages, 'users').map(keyOf))).toEqual(servedKeys(api));
  });
});

function notFound(): Fault {
  const message = 'Organization not found.';
  return { type: 'answer', status: 404, body: { error: { type: 'not_found_error', message } } };
}
