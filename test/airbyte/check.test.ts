import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, type FixtureOptions, startFixtureApi } from '../../fixtures/api/index.js';
import { streams } from '../../src/index.js';
import { badges } from '../streams/made-up/badges.js';
import { grants } from '../streams/made-up/grants.js';
import { madeUpLists } from '../streams/support/made-up-lists.js';
import { configFor, file, type Run, run } from './harness.js';
import { errors, logs, only } from './protocol.js';

let api: FixtureApi;
const start = async (options: FixtureOptions) => {
  await api.close();
  api = await startFixtureApi(options);
};
const check = async (more: object = {}): Promise<Run> =>
  await run(['check', '--config', file(configFor(api, more))]);
const answer = ({ messages }: Run) => only(messages, 'CONNECTION_STATUS')[0]?.connectionStatus;

beforeEach(async () => {
  api = await startFixtureApi({ sizes: [3, 2] });
});
afterEach(async () => await api.close());

describe('check', () => {
  it('succeeds after one request for each default stream', async () => {
    const checked = await check();
    expect(checked.exitCode).toBe(0);
    expect(answer(checked)).toEqual({ status: 'SUCCEEDED' });
    expect(api.requests).toHaveLength(2);
  });

  it.each([
    ['a key that is refused', { api_key: 'sk-ant-api01-wrong' }, /key/],
    ['an address that is not valid', { base_url: 'nowhere' }, /base_url/],
    ['a page size out of bounds', { page_size: 5000 }, /page_size/],
    ['no key', { api_key: null }, /api_key/],
  ])('answers FAILED and ends with 0 for %s', async (_, config, message) => {
    const checked = await check(config);
    expect(checked.exitCode).toBe(0);
    expect(answer(checked)).toEqual({ status: 'FAILED', message: expect.stringMatching(message) });
  });

  it('reports all mistakes at once, and no value', async () => {
    const { message = '' } = answer(await check({ page_size: 0, timeout: 'soon-4711' })) ?? {};
    expect(message).toMatch(/page_size/);
    expect(message).toMatch(/timeout/);
    expect(message).not.toMatch(/4711/);
  });

  it('names the scope that is missing, and the stream that needs it', async () => {
    await start({ sizes: [3], scopes: ['read:compliance_org_data'] });
    expect(answer(await check())).toEqual({
      status: 'FAILED',
      message: expect.stringMatching(
        /may not read users \(scope read:compliance_user_data\)\. .*lacks the scope/,
      ),
    });
  });

  it('names the scope also when the API does not', async () => {
    const body = { error: { type: 'permission_error', message: 'No.' } };
    api.fault({ match: { list: 'users' }, do: { type: 'answer', status: 403, body } });
    expect(answer(await check())).toEqual({
      status: 'FAILED',
      message: expect.stringContaining('users (scope read:compliance_user_data)'),
    });
  });

  it('requests nothing below a list that the key may not read', async () => {
    await start({ sizes: [3], scopes: ['read:compliance_user_data'] });
    const { message = '' } = answer(await check()) ?? {};
    expect(message).toContain('organizations (scope read:compliance_org_data)');
    expect(message).not.toContain('users');
    expect(api.requests).toHaveLength(1);
  });

  it('requests one record of a default stream, and its parents once, whatever the registry holds', async () => {
    await start({ sizes: [3, 2], lists: madeUpLists });
    const more = [badges, grants].map((stream) => ({ ...stream, isDefault: true }));
    const checked = await run(['check', '--config', file(configFor(api))], {
      registry: [...streams, ...more],
    });
    expect(answer(checked)).toEqual({ status: 'SUCCEEDED' });
    const requested = api.requests.map(
      ({ path, query }) => `${path.replace(/[0-9a-f-]{36}|rbac_role_\w+/g, '…')} ${query.limit ?? 'all'}`,
    );
    expect(requested).toEqual([
      '/v1/compliance/organizations all',
      '/v1/compliance/organizations/…/users 1',
      '/v1/compliance/organizations/…/badges 1',
      '/v1/compliance/organizations/…/roles 1',
      '/v1/compliance/organizations/…/roles/…/grants 1',
    ]);
  });

  it('names every stream that the key may not read', async () => {
    await start({ sizes: [3], scopes: ['read:compliance_org_data'], lists: madeUpLists });
    api.fault({ match: { list: 'badges' }, do: { type: 'answer', status: 403 } });
    const registry = [...streams, { ...badges, isDefault: true }];
    const checked = await run(['check', '--config', file(configFor(api))], { registry });
    expect(answer(checked)?.message).toMatch(/may not read users \(scope \S+\), badges \(scope \S+\)\./);
  });

  it('answers no status when the API is out of reach, but a transient error', async () => {
    api.fault({ do: { type: 'answer', status: 503 } });
    const checked = await check();
    expect(checked.exitCode).toBe(1);
    expect(answer(checked)).toBeUndefined();
    expect(errors(checked.messages)).toEqual([expect.objectContaining({ failure_type: 'transient_error' })]);
  });

  it('succeeds without any organisation, and says what is not known', async () => {
    await start({ sizes: [] });
    const checked = await check();
    expect(answer(checked)?.status).toBe('SUCCEEDED');
    expect(logs(checked.messages, 'WARN')).toEqual([expect.stringMatching(/none of organizations.*users/)]);
  });

  it('tries the next organisation when the first was unlinked just after it was listed', async () => {
    const [first] = api.organizations();
    const change = (page: object) => {
      api.unlink(String(first?.uuid));
      return page;
    };
    api.fault({ match: { list: 'organizations', nth: 1 }, do: { type: 'envelope', change } });
    expect(answer(await check())?.status).toBe('SUCCEEDED');
    expect(api.requests.filter(({ status }) => status === 404)).toHaveLength(1);
  });

  it('fails when an organisation that is listed is not found', async () => {
    const [first] = api.organizations();
    const body = {
      error: { type: 'not_found_error', message: `Organization ${first?.uuid} not found.` },
    };
    api.fault({ match: { path: '/users' }, do: { type: 'answer', status: 404, body } });
    const checked = await check();
    expect(checked.exitCode).toBe(1);
    expect(errors(checked.messages)).toEqual([expect.objectContaining({ failure_type: 'system_error' })]);
  });

  it('ignores keys that begin with _, and warns of others that are not known', async () => {
    const checked = await check({ _test: { page_size: 9 }, pagesize: 9 });
    expect(answer(checked)?.status).toBe('SUCCEEDED');
    expect(logs(checked.messages, 'WARN')).toEqual([expect.stringContaining('`pagesize`')]);
    expect(checked.text).not.toContain('_test');
  });
});

describe('the command line', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['write']],
    ['two commands', ['spec', 'check']],
    ['check without its file', ['check']],
    ['read without its catalog', ['read', '--config', file({ api_key: 'any' })]],
    ['an unknown flag', ['spec', '--verbose']],
    ['a file that does not exist', ['discover', '--config', '/nowhere/config.json']],
    ['a file that is not JSON', ['discover', '--config', file('{"api_key": "secret-4711')]],
  ])('reports %s as a message, and ends with 1', async (_, args) => {
    const { exitCode, messages, text } = await run(args);
    expect(exitCode).toBe(1);
    expect(errors(messages)).toEqual([expect.objectContaining({ failure_type: 'config_error' })]);
    expect(text).not.toContain('4711');
  });
});
