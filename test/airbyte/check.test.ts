import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FaultRule,
  type FixtureApi,
  type FixtureOptions,
  type Json,
  startFixtureApi,
} from '../../fixtures/api/index.js';
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
  it('succeeds, and says of each stream that it may be read, after one request for each answer', async () => {
    const checked = await check();
    expect(checked.exitCode).toBe(0);
    expect(answer(checked)).toEqual({ status: 'SUCCEEDED' });
    expect(logs(checked.messages, 'INFO')).toEqual([
      'organizations: ok, the key sees 2',
      ...streams.slice(1).map(({ name }) => `${name}: ok`),
    ]);
    expect(logs(checked.messages, 'WARN')).toEqual([]);
    // The keys are in the answer with the settings.
    expect(api.requests).toHaveLength(streams.length - 1);
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
    const checked = await check();
    expect(answer(checked)).toEqual({
      status: 'FAILED',
      message:
        'The key may not read users (scope read:compliance_user_data): the key lacks the scope read:compliance_user_data.',
    });
    expect(logs(checked.messages, 'WARN')).toEqual([
      'users: the key lacks the scope read:compliance_user_data',
      'group_members: the key lacks the scope read:compliance_user_data',
    ]);
  });

  it.each<[string, FaultRule, string[]]>([
    [
      'of which the key lacks the scope',
      refuse('groups', 403, {
        error: {
          type: 'permission_error',
          message: "Missing required scopes. Got: [] Needed one of: ['read:compliance_org_data']",
        },
      }),
      [
        'groups: the key lacks the scope read:compliance_org_data',
        'group_members: not checked, because no record of groups was read',
      ],
    ],
    [
      'that the API refuses',
      refuse('role_permissions', 403),
      ['role_permissions: the API refused the list that was tried (403), and named no scope'],
    ],
    [
      'that the API does not serve yet',
      refuse('groups', 404, {}),
      [
        'groups: the API does not know this list (404)',
        'group_members: not checked, because no record of groups was read',
      ],
    ],
    [
      'that the API fails to serve',
      refuse('group_members', 503),
      [expect.stringMatching(/^group_members: not checked\. .* 503 .*\]$/)],
    ],
  ])('only warns of a stream %s, where it is not a default one', async (_, rule, warnings) => {
    api.fault(rule);
    const checked = await check();
    expect({ exitCode: checked.exitCode, status: answer(checked)?.status }).toEqual({
      exitCode: 0,
      status: 'SUCCEEDED',
    });
    expect(logs(checked.messages, 'WARN')).toEqual(warnings);
    expect(logs(checked.messages, 'INFO')).toHaveLength(streams.length - warnings.length);
  });

  it('says which streams are not enabled after three organisations, and that is no failure', async () => {
    await start({ sizes: [1, 1, 1, 1, 1], settings: 'off' });
    const checked = await check();
    expect(answer(checked)).toEqual({ status: 'SUCCEEDED' });
    const off = 'not enabled for this parent organisation, it seems (tried for 3 of 5 organizations: 404)';
    expect(logs(checked.messages, 'WARN')).toEqual([`organization_settings: ${off}`, `api_keys: ${off}`]);
    expect(api.requests.filter(({ path }) => path.endsWith('/settings'))).toHaveLength(3);
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
    expect(api.requests.map(({ path }) => path)).toEqual([
      '/v1/compliance/organizations',
      '/v1/compliance/groups',
    ]);
  });

  it('requests a few records of one list of each stream, and its parents once, whatever the registry holds', async () => {
    await start({ sizes: [3, 2], lists: madeUpLists });
    const registry = [
      ...streams.filter(({ isDefault, name }) => isDefault || name === 'roles'),
      badges,
      { ...grants, isDefault: true },
    ];
    const checked = await run(['check', '--config', file(configFor(api))], { registry });
    expect(answer(checked)).toEqual({ status: 'SUCCEEDED' });
    const requested = api.requests.map(
      ({ path, query }) => `${path.replace(/[0-9a-f-]{36}|rbac_role_\w+/g, '…')} ${query.limit ?? 'all'}`,
    );
    expect(requested).toEqual([
      '/v1/compliance/organizations all',
      '/v1/compliance/organizations/…/users 3',
      '/v1/compliance/organizations/…/roles 3',
      '/v1/compliance/organizations/…/roles/…/grants 3',
      '/v1/compliance/organizations/…/badges 3', // the only one that is not needed by a default stream
    ]);
  });

  it('names every stream that the key may not read', async () => {
    await start({ sizes: [3], scopes: ['read:compliance_org_data'], lists: madeUpLists });
    api.fault({ match: { list: 'badges' }, do: { type: 'answer', status: 403 } });
    const registry = [...streams, { ...badges, isDefault: true }];
    const checked = await run(['check', '--config', file(configFor(api))], { registry });
    expect(answer(checked)?.message).toMatch(/may not read users \(scope \S+\), badges \(scope \S+\): /);
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
    const below = streams.filter(
      (stream) => (stream.parent ?? stream.through)?.stream.name === 'organizations',
    );
    expect(logs(checked.messages, 'WARN')).toEqual(
      expect.arrayContaining(
        below.map(({ name }) => `${name}: not checked, because no record of organizations was read`),
      ),
    );
  });

  it('tries the next organisation when the first was unlinked just after it was listed', async () => {
    const [first] = api.organizations();
    const change = (page: object) => {
      api.unlink(String(first?.uuid));
      return page;
    };
    api.fault({ match: { list: 'organizations', nth: 1 }, do: { type: 'envelope', change } });
    const checked = await check();
    expect(answer(checked)?.status).toBe('SUCCEEDED');
    expect(logs(checked.messages, 'INFO')).toEqual(expect.arrayContaining(['users: ok', 'roles: ok']));
    expect(api.requests.some(({ status }) => status === 404)).toBe(true);
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

function refuse(list: string, status: number, body: Json = {}): FaultRule {
  return { match: { list }, do: { type: 'answer', status, body } };
}
