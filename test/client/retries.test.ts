import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { quickClock } from './quick-clock.js';
import { rejection, testClient } from './test-client.js';

let api: FixtureApi;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [250] });
});
afterEach(async () => {
  await api.close();
});

const uuidOf = (fixture: FixtureApi): string => String(fixture.organizations()[0]?.uuid);

const idsOf = (fixture: FixtureApi) => [...fixture.users(uuidOf(fixture))].map((user) => user.id);

describe('a page that failed once is asked for again, and nothing is lost or doubled', () => {
  const FAULTS: [string, Fault, string][] = [
    ['408', { type: 'answer', status: 408 }, 'request_timeout'],
    ['429', { type: 'answer', status: 429 }, 'rate_limited'],
    ['500', { type: 'answer', status: 500 }, 'server_error'],
    ['502', { type: 'answer', status: 502, body: '<html>Bad gateway</html>' }, 'server_error'],
    ['503', { type: 'answer', status: 503 }, 'overloaded'],
    ['504', { type: 'answer', status: 504 }, 'server_error'],
    ['529', { type: 'answer', status: 529 }, 'overloaded'],
    [
      '409 that is to be retried',
      { type: 'answer', status: 409, headers: { 'x-should-retry': 'true' } },
      'conflict',
    ],
    ['a reset', { type: 'reset' }, 'connection_reset'],
    ['a reset after the headers', { type: 'reset', after: 'headers' }, 'connection_reset'],
    ['a reset in the body', { type: 'reset', after: 5000 }, 'connection_reset'],
    ['a hang-up', { type: 'cut', after: 'nothing' }, 'connection_reset'],
    ['a hang-up after the headers', { type: 'cut', after: 'headers' }, ''],
    ['an interrupted body', { type: 'cut', after: 5000 }, ''],
    ['an interrupted body in chunks', { type: 'cut', after: 5000, chunked: true }, ''],
    ['an answer that never begins', { type: 'hang' }, 'timeout'],
    ['an answer that stops after the headers', { type: 'hang', after: 'headers' }, 'timeout'],
    ['an answer that stops in the body', { type: 'hang', after: 5000 }, 'timeout'],
    ['a byte at a time', { type: 'drip', bytes: 1, everyMs: 5 }, 'timeout'],
    ['an empty 200', { type: 'answer', status: 200 }, 'body_empty'],
    [
      'a 200 that is not JSON',
      { type: 'answer', status: 200, body: '<html>Sign in</html>' },
      'body_not_json',
    ],
    [
      'a 200 that is half JSON',
      { type: 'answer', status: 200, body: '{"data":[{"id":"user_1"},' },
      'body_not_json',
    ],
    [
      'a damaged gzip',
      { type: 'answer', status: 200, body: 'no gzip', headers: { 'content-encoding': 'gzip' } },
      'body_cut',
    ],
  ];

  it.each(FAULTS)('%s', async (_, fault, code) => {
    api.fault({ match: { path: '/users', page: 1, times: 1 }, do: fault });
    const isSlow = fault.type === 'hang' || fault.type === 'drip';
    await using client = testClient(api, isSlow ? { timeout: 100_000 } : {});
    const ids: string[] = [];
    for await (const user of client.organizations.iterUsers(uuidOf(api), { limit: 100 })) ids.push(user.id);
    expect(ids).toEqual(idsOf(api));
    expect(api.requests.map(({ page }) => page)).toEqual([0, 1, 1, 2]);
    const reported = client.events.filter(({ type }) => type === 'retrying');
    expect(reported).toMatchObject([{ attempt: 1, path: expect.stringContaining('/users') }]);
    if (code !== '') expect(reported).toMatchObject([{ code }]);
  });
});

it('gives up after the retries it was given, with the error of the last attempt', async () => {
  api.fault({ match: { times: 3 }, do: { type: 'reset' } });
  api.fault({ do: { type: 'answer', status: 503 } });
  await using client = testClient(api, { maxRetries: 3 });
  expect(await rejection(client.organizations.list())).toMatchObject({
    name: 'InternalServerError',
    status: 503,
    exitCode: 75,
  });
  expect(api.requests).toHaveLength(4);
});

it('does not count 429s as attempts, only their time', async () => {
  api.fault({ match: { times: 5 }, do: { type: 'answer', status: 429, headers: { 'retry-after': '1' } } });
  await using client = testClient(api, { maxRetries: 0 });
  expect(await client.organizations.list()).toHaveLength(1);
  expect(api.requests).toHaveLength(6);
});

it('gives up on 429s when the next wait would pass the deadline', async () => {
  // The second answer comes long before the deadline, and the third would come long after it.
  api.fault({ do: { type: 'answer', status: 429, headers: { 'retry-after': '55' } } });
  await using client = testClient(api, { deadline: 100_000 });
  expect(await rejection(client.organizations.list())).toMatchObject({
    name: 'RateLimitError',
    retryAfter: 55_000,
  });
  expect(api.requests).toHaveLength(2);
});

it('does not start a wait that the deadline would cut off', async () => {
  api.fault({ do: { type: 'answer', status: 503, headers: { 'retry-after': '90' } } });
  const clock = quickClock(1);
  await using client = testClient(api, { clock, deadline: 80_000 });
  expect(await rejection(client.organizations.list())).toMatchObject({ status: 503 });
  expect(clock.waits).not.toContain(90_000);
  expect(api.requests).toHaveLength(1);
});

it('ends an attempt at the deadline even if its own time is not over', async () => {
  api.fault({ do: { type: 'hang' } });
  await using client = testClient(api, { timeout: 60_000, deadline: 10_000 });
  expect(await rejection(client.organizations.list())).toMatchObject({
    name: 'APITimeoutError',
    code: 'deadline_exceeded',
    exitCode: 75,
  });
  expect(api.requests).toHaveLength(1);
});

it('waits as long as retry-after asks, but no longer than two minutes', async () => {
  for (const [seconds, wait] of [
    [77, 77_000],
    [86_400, 120_000],
  ] as const) {
    const answer = { status: 503, headers: { 'retry-after': String(seconds) } };
    api.fault({ match: { nth: 1 }, do: { type: 'answer', ...answer } });
    const clock = quickClock(1000);
    await using client = testClient(api, { clock });
    await client.organizations.list();
    expect(clock.waits).toContain(wait);
  }
});

it('waits for the later of retry-after and reset when the budget is spent, and everybody waits', async () => {
  const clock = quickClock();
  const headers = {
    'retry-after': '1',
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': new Date(clock.now() + 90_000).toISOString(),
  };
  api.fault({ match: { times: 1 }, do: { type: 'answer', status: 429, headers } });
  await using client = testClient(api, { clock, timeout: 7_200_000 });
  await Promise.all([client.organizations.list(), client.organizations.list()]);
  expect(client.events).toContainEqual(expect.objectContaining({ type: 'waiting', reason: 'rate_limited' }));
  // One wait for everybody: the reset, less the time that the answer took.
  expect(clock.waits.filter((ms) => ms > 45_000 && ms <= 90_000)).toHaveLength(1);
  expect(api.requests.map(({ status }) => status)).toEqual([429, 200, 200]);
});

it('holds everybody up after a 429, even when the page that met it is given up', async () => {
  const answer = { status: 429, headers: { 'x-should-retry': 'false', 'retry-after': '30' } };
  api.fault({ match: { times: 1 }, do: { type: 'answer', ...answer } });
  await using client = testClient(api);
  expect(await rejection(client.organizations.list())).toMatchObject({ code: 'rate_limited' });
  await client.organizations.list();
  expect(client.events).toContainEqual(expect.objectContaining({ type: 'waiting', reason: 'rate_limited' }));
});

it('shows what the API last said of the budget', async () => {
  const budget = { algorithm: 'fixed-window', requests: 50, windowMs: 60_000 } as const;
  await using metered = await startFixtureApi({ sizes: [1], budget });
  await using client = testClient(metered);
  expect(client.rateLimit).toBeUndefined();
  await client.organizations.list();
  expect(client.rateLimit).toMatchObject({ limit: 50, remaining: 49, reset: expect.any(Date) });
  await client.organizations.list();
  expect(client.rateLimit).toMatchObject({ remaining: 48 });
});

it('is not confused by a listener that throws', async () => {
  await using client = testClient(api, {
    onEvent: () => {
      throw new Error('the listener');
    },
  });
  expect(await rejection(client.organizations.list())).toMatchObject({ message: 'the listener' });
  expect(api.requests).toHaveLength(1);
});

it('never sends the key to another host', async () => {
  let visits = 0;
  const elsewhere: Server = createServer((_, answer) => {
    visits += 1;
    answer.end('{"data":[]}');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const { port } = elsewhere.address() as AddressInfo;
  for (const [before, status] of [301, 302, 303, 307, 308].entries()) {
    api.fault({
      match: { nth: before + 1 },
      do: { type: 'answer', status, headers: { location: `http://127.0.0.1:${port}/` } },
    });
  }
  await using client = testClient(api);
  for (let n = 0; n < 5; n += 1) {
    expect(await rejection(client.organizations.list())).toMatchObject({
      name: 'APIError',
      code: 'redirected',
    });
  }
  elsewhere.close();
  expect(visits).toBe(0);
});

it('says what kind of connection failed', async () => {
  const refused = createTcpServer();
  await new Promise<void>((resolve) => refused.listen(0, '127.0.0.1', resolve));
  const { port } = refused.address() as AddressInfo;
  await new Promise((resolve) => refused.close(resolve));
  const cases = [
    [`http://127.0.0.1:${port}`, 'connection_refused'],
    ['http://nowhere.invalid', 'host_not_found'],
    [api.url.replace('http:', 'https:'), 'tls_failed'],
  ] as const;
  for (const [url, code] of cases) {
    await using client = testClient({ url, key: 'k' }, { maxRetries: 1 });
    expect(await rejection(client.organizations.list())).toMatchObject({
      name: 'APIConnectionError',
      code,
      exitCode: 75,
    });
    expect(client.events).toMatchObject([{ type: 'retrying', attempt: 1, code }]);

    // For whoever waits, a host that nobody answers at is no reason to try again.
    await using impatient = testClient({ url, key: 'k' }, { maxRetries: 1, failUnreachable: true });
    expect(await rejection(impatient.organizations.list())).toMatchObject({ code, exitCode: 75 });
    expect(impatient.events).toHaveLength(code === 'tls_failed' ? 1 : 0);
  }
});

describe('a signal that aborts', () => {
  it.each<[string, Fault]>([
    ['while an answer is awaited', { type: 'hang' }],
    ['while a body is read', { type: 'hang', after: 20 }],
    ['while a retry is waited for', { type: 'answer', status: 503, headers: { 'retry-after': '100' } }],
    ['while the budget is waited for', { type: 'answer', status: 429, headers: { 'retry-after': '100' } }],
  ])('ends the call at once %s', async (_, fault) => {
    api.fault({ do: fault });
    for (const ofClient of [true, false]) {
      const controller = new AbortController();
      await using client = testClient(api, {
        timeout: 900_000,
        clock: undefined,
        ...(ofClient && { signal: controller.signal }),
      });
      const listing = client.organizations.list(ofClient ? {} : { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('enough')), 100);
      const thrown = await rejection(listing);
      expect(thrown).toMatchObject({ name: 'AbortedError', code: 'aborted' });
      expect(thrown.cause).toMatchObject({ message: 'enough' });
    }
  });

  it('asks nothing when it was aborted before', async () => {
    await using client = testClient(api, { signal: AbortSignal.abort() });
    expect(await rejection(client.organizations.list())).toMatchObject({ code: 'aborted' });
    expect(api.requests).toHaveLength(0);
  });
});

describe('a closed client', () => {
  it('refuses to ask', async () => {
    const client = testClient(api);
    await client.organizations.list();
    await client.close();
    await client.close();
    expect(await rejection(client.organizations.list())).toMatchObject({
      name: 'ConfigError',
      code: 'client_closed',
    });
    expect(api.requests).toHaveLength(1);
  });

  it('ends what was in flight', async () => {
    api.fault({ do: { type: 'hang' } });
    const client = testClient(api);
    const failing = rejection(client.organizations.list());
    await expect.poll(() => api.requests.length).toBe(1);
    await client.close();
    expect(await failing).toMatchObject({ code: 'client_closed' });
  });
});

it('counts the wait for the budget against the deadline, before the first attempt too', async () => {
  await using client = testClient(api, { requestsPerMinute: 0.1, deadline: 200_000 });
  await client.organizations.list();
  const thrown = await rejection(client.organizations.list());
  expect(thrown).toMatchObject({ name: 'APITimeoutError', code: 'deadline_exceeded', exitCode: 75 });
  expect(thrown.message).toContain('waited for the budget of requests for 200000 ms');
  expect(api.requests).toHaveLength(1);
});
