import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from '../../src/client/api-errors.js';
import { ComplianceError } from '../../src/errors.js';
import { rejection, testClient } from './test-client.js';

const error = (type: string, message: string, more: object = {}) => ({
  type: 'error',
  error: { type, message },
  ...more,
});

let api: FixtureApi;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [3, 5] });
});
afterEach(async () => {
  await api.close();
});

describe('an answer that is no page becomes one typed error', () => {
  const CASES: [string, number, string | object, Record<string, string>, object][] = [
    [
      'a bad parameter',
      400,
      error('invalid_request_error', 'limit: too large'),
      {},
      {
        name: 'BadRequestError',
        code: 'bad_request',
        exitCode: 2,
        type: 'invalid_request_error',
        apiMessage: 'limit: too large',
      },
    ],
    [
      'a key that is not accepted',
      401,
      error('authentication_error', 'invalid x-api-key'),
      {},
      { name: 'AuthenticationError', code: 'authentication_failed', exitCode: 2 },
    ],
    [
      'a missing scope in the oldest contract',
      401,
      error(
        'authentication_error',
        "Missing required scopes. Got: [] Needed one of: ['read:compliance_org_data']",
      ),
      {},
      { name: 'AuthenticationError', code: 'missing_scope', exitCode: 2 },
    ],
    [
      'a missing scope',
      403,
      error(
        'permission_error',
        "Missing required scopes. Got: ['read:compliance_org_data'] Needed one of: ['read:compliance_user_data']",
      ),
      {},
      { name: 'PermissionDeniedError', code: 'missing_scope', exitCode: 2 },
    ],
    [
      'another 403',
      403,
      error('permission_error', 'Not for you'),
      {},
      { name: 'PermissionDeniedError', code: 'permission_denied', exitCode: 2 },
    ],
    [
      'a bare 404',
      404,
      error('not_found_error', 'Not found'),
      {},
      { name: 'NotFoundError', code: 'not_found', exitCode: 2 },
    ],
    [
      'a 404 of a proxy',
      404,
      '<html>organization</html>',
      {},
      { name: 'NotFoundError', code: 'not_found', exitCode: 2, apiMessage: undefined },
    ],
    [
      'a conflict',
      409,
      error('conflict_error', 'busy'),
      {},
      { name: 'ConflictError', code: 'conflict', exitCode: 1 },
    ],
    [
      'a 429 that is not to be retried',
      429,
      error('rate_limit_error', 'slow down'),
      { 'x-should-retry': 'false', 'retry-after': '7' },
      { name: 'RateLimitError', code: 'rate_limited', exitCode: 75, retryAfter: 7000 },
    ],
    [
      'a failure that is not to be retried',
      500,
      error('api_error', 'broken'),
      { 'x-should-retry': 'false' },
      { name: 'InternalServerError', code: 'server_error', exitCode: 75 },
    ],
    [
      'the cap',
      500,
      error('internal_error', 'Response exceeds maximum of 1,000 organizations.'),
      {},
      {
        name: 'InternalServerError',
        code: 'too_many_organizations',
        exitCode: 1,
        apiMessage: 'Response exceeds maximum of 1,000 organizations.',
      },
    ],
    [
      'a redirect',
      302,
      '',
      { location: 'http://127.0.0.1:1/elsewhere' },
      { name: 'APIError', code: 'redirected', exitCode: 2 },
    ],
    [
      'another status',
      418,
      '',
      {},
      { name: 'APIError', code: 'unexpected_status', exitCode: 1, type: undefined },
    ],
    ['an answer without content', 204, '', {}, { name: 'APIError', code: 'unexpected_status', exitCode: 1 }],
    [
      'an error code',
      400,
      { error: { type: 't', message: 'm', details: { error_code: 'deep' } } },
      {},
      { errorCode: 'deep' },
    ],
    [
      'an error of another shape',
      400,
      { error: 'no' },
      {},
      { code: 'bad_request', type: undefined, apiMessage: undefined },
    ],
    ['JSON that is no object', 400, '[null]', {}, { code: 'bad_request', apiMessage: undefined }],
  ];

  it.each(CASES)('%s', async (_, status, body, headers, expected) => {
    api.fault({ do: { type: 'answer', status, body: body as never, headers } });
    await using client = testClient(api);
    const thrown = await rejection(client.organizations.list());
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toBeInstanceOf(ComplianceError);
    expect(thrown).toMatchObject({
      status,
      method: 'GET',
      path: '/v1/compliance/organizations',
      ...expected,
    });
    expect(api.requests).toHaveLength(1);
  });
});

it('has a class for each status that programs distinguish', () => {
  const details = { code: 'c', method: 'GET', path: '/', status: 0 };
  for (const Class of [
    BadRequestError,
    AuthenticationError,
    PermissionDeniedError,
    NotFoundError,
    ConflictError,
    RateLimitError,
    InternalServerError,
  ]) {
    const made = new Class('m', details);
    expect(made).toBeInstanceOf(APIError);
    expect(made.name).toBe(Class.name);
  }
});

it('takes the request id from the body when no header has it', async () => {
  const server = createServer((_, answer) => answer.writeHead(400).end('{"request_id":"req_body"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await using client = testClient({ url: `http://127.0.0.1:${port}`, key: 'k' });
  expect(await rejection(client.organizations.list())).toMatchObject({ requestId: 'req_body', status: 400 });
  await client.close();
  server.close();
});

it('names the scope that is missing, and no scope that the key has', async () => {
  await using narrow = await startFixtureApi({ sizes: [1], scopes: ['read:compliance_org_data'] });
  await using client = testClient(narrow);
  const [organization] = await client.organizations.list();
  const thrown = await rejection(client.organizations.listUsers(organization?.uuid ?? ''));
  expect(thrown).toMatchObject({ name: 'PermissionDeniedError', code: 'missing_scope' });
  expect(thrown.message).toContain('read:compliance_user_data');
  expect(thrown.message).not.toContain('read:compliance_org_data');
  expect(narrow.requests.at(-1)?.requestId).toBe(thrown.requestId);
});

it('distinguishes an organisation that does not exist from an address that does not exist', async () => {
  await using client = testClient(api);
  const uuid = '00000000-0000-4000-8000-000000000000';
  expect(await rejection(client.organizations.listUsers(uuid))).toMatchObject({
    code: 'parent_not_found',
    exitCode: 1,
  });
  await using lost = testClient({ url: `${api.url}/wrong`, key: api.key });
  expect(await rejection(lost.organizations.listUsers(uuid))).toMatchObject({
    code: 'not_found',
    exitCode: 2,
  });
});

it('repeats nothing that the API wrote, which may name people, and keeps it for programs that ask', async () => {
  const words = 'Ada Lovelace (ada.lovelace@example.com, Analytical Engines Ltd) has no seat';
  const scopes = "Missing required scopes. Needed one of: ['read:ada_lovelace', 'read:compliance_user_data']";
  const details = { error_code: 'lovelace' };
  await using client = testClient(api);
  const answers: [number, object][] = [
    [400, error('invalid_request_error', words)],
    [403, error('permission_error', words)],
    [409, { error: { type: 'lovelace_error', message: words, details } }],
    [500, error('api_error', words)],
    [403, error('permission_error', `${scopes} ${words}`)],
  ];
  for (const [nth, [status, body]] of answers.entries())
    api.fault({
      match: { nth: nth + 1 },
      do: { type: 'answer', status, body: body as never, headers: { 'x-should-retry': 'false' } },
    });
  for (const [status] of answers) {
    const thrown = await rejection(client.organizations.list());
    expect(thrown.apiMessage).toContain(words);
    expect(thrown.status).toBe(status);
    for (const shown of [thrown.message, inspect(thrown, { depth: 9 }), JSON.stringify({ ...thrown })])
      expect(shown.replace(/^\s+at .*$/gm, '')).not.toMatch(/ada|lovelace|engines|seat/i);
    if (status === 400) expect(thrown.message).toMatch(/ The API calls it invalid_request_error\.$/);
    if (status === 409) expect(thrown).toMatchObject({ type: 'lovelace_error', errorCode: 'lovelace' });
  }
});

it('keeps at most 64 KiB of a body, and shows neither it nor the words of the API when it is printed', async () => {
  const page = `<html>grace.hopper@example.com ${'z'.repeat(200_000)}</html>`;
  api.fault({ do: { type: 'answer', status: 400, body: page } });
  await using client = testClient(api);
  const thrown = await rejection(client.organizations.list());
  expect(thrown.body).toBe(page.slice(0, 65_536));
  for (const shown of [
    inspect(thrown, { depth: 9 }),
    JSON.stringify(thrown),
    JSON.stringify({ ...thrown }),
  ]) {
    expect(shown).not.toContain('hopper');
  }
});

it('holds the key nowhere, not even when the API repeats it', async () => {
  const key = 'an-unusual+key/without=prefix';
  await using client = testClient({ url: api.url, key });
  api.fault({
    match: { nth: 1 },
    do: { type: 'answer', status: 401, body: error('authentication_error', `no such key: ${key}`) },
  });
  api.fault({ match: { nth: 2 }, do: { type: 'answer', status: 400, body: `key ${key}` } });
  api.fault({ match: { nth: 3 }, do: { type: 'answer', status: 200, body: `{"data":"${key}"}` } });
  api.fault({ do: { type: 'reset' } });
  await using impatient = testClient({ url: api.url, key }, { maxRetries: 0 });
  for (const each of [client, client, client, impatient]) {
    const thrown = await rejection(each.organizations.list());
    const everything = [
      inspect(thrown, { depth: 9, showHidden: true }),
      String(thrown.apiMessage),
      String(thrown.body),
    ];
    expect(everything.join('\n')).not.toContain(key);
  }
  expect(inspect(client, { depth: 9, showHidden: true })).not.toContain(key);
  expect(JSON.stringify(client)).not.toContain(key);
});
