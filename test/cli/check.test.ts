import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { streams } from '../../src/index.js';
import { uuidOf } from '../run/support/tree.js';
import { environmentOf, run, say } from './command.js';

let api: FixtureApi;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [0, 7, 30], awkward: true });
});
afterAll(() => api.close());

describe('check', () => {
  it('says how many organisations the key sees, with two requests', async () => {
    const before = api.requests.length;
    const { code, stdout, stderr } = await run(['check'], { env: environmentOf(api) });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'organizations: ok, the key sees 3\nusers: ok\n',
      stderr: '',
    });
    expect(api.requests.length - before).toBe(2);
  });

  it('notes, where there is one organisation, whose key sees one', async () => {
    await using one = await startFixtureApi({ sizes: [1] });
    const { code, stdout } = await say(['check'], environmentOf(one));
    expect(code).toBe(0);
    expect(stdout).toContain("note: the key of an organisation's owner sees one organisation");
  });

  it('says, where there is none, which streams cannot be checked', async () => {
    await using none = await startFixtureApi({ sizes: [] });
    const { code, stdout } = await say(['check'], environmentOf(none));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        'organizations: ok, the key sees 0\nusers: not checked, because no record of organizations was read\n',
    });
  });

  it.each([
    [
      'read:compliance_org_data',
      'read:compliance_user_data',
      'organizations: the key lacks the scope read:compliance_org_data\nusers: not checked, because no record of organizations was read\n',
    ],
    [
      'read:compliance_user_data',
      'read:compliance_org_data',
      'organizations: ok, the key sees 2\nusers: the key lacks the scope read:compliance_user_data\n',
    ],
  ] as const)('names the scope %s when it is missing, and exits with 2', async (missing, given, said) => {
    await using half = await startFixtureApi({ sizes: [1, 1], scopes: [given] });
    const { code, stdout, stderr } = await say(['check'], environmentOf(half));
    expect({ code, stdout }).toEqual({ code: 2, stdout: said });
    expect(stderr).toContain(`Use a key with the scope ${missing}`);
  });

  it('checks every stream that is asked for, by one request for each answer, also after one whose scope is missing', async () => {
    await using half = await startFixtureApi({ sizes: [1, 1], scopes: ['read:compliance_org_data'] });
    const { code, stdout, stderr } = await say(['check', '--streams', 'all'], environmentOf(half));
    expect(code).toBe(2);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'organizations: ok, the key sees 2',
      'users: the key lacks the scope read:compliance_user_data',
      'roles: ok',
      'role_permissions: ok',
      'groups: ok',
      'group_members: the key lacks the scope read:compliance_user_data',
      'organization_settings: ok',
      'api_keys: ok',
    ]);
    expect(stderr).toBe(
      'error: The key may not read users, group_members. Use a key with the scope read:compliance_user_data, or choose by --streams what it may read. [missing_scope]\n',
    );
    // The keys are in the answer with the settings.
    expect(half.requests).toHaveLength(streams.length - 1);
    expect(new Set(half.requests.map(({ path }) => path)).size).toBe(streams.length - 1);
  });

  it('requests nothing for streams that nobody asked about, but for those above', async () => {
    const before = api.requests.length;
    const { code, stdout } = await say(['check', '--streams', 'group_members,api_keys'], environmentOf(api));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'organizations: ok, the key sees 3\ngroups: ok\ngroup_members: ok\napi_keys: ok\n',
    });
    expect(api.requests.length - before).toBe(4);
  });

  it('says, where there is no group, that its members cannot be checked', async () => {
    await using none = await startFixtureApi({ sizes: [1], groups: 0 });
    const { code, stdout } = await say(['check', '--streams', 'group_members'], environmentOf(none));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'groups: ok\ngroup_members: not checked, because no record of groups was read\n',
    });
  });

  it('says what is not enabled after a few organisations, of how many, and that is no failure', async () => {
    await using off = await startFixtureApi({ sizes: [1, 1, 1, 1, 1], settings: 'off' });
    const settings = ['--streams', 'organization_settings', 'api_keys'];
    const { code, stdout, stderr } = await say(['check', ...settings], environmentOf(off));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'organizations: ok, the key sees 5',
        'organization_settings: not enabled for this parent organisation, it seems (tried for 3 of 5 organizations: 404)',
        'api_keys: not enabled for this parent organisation, it seems (tried for 3 of 5 organizations: 404)',
        '',
      ].join('\n'),
    );
    expect(off.requests).toHaveLength(1 + 3);
    off.switchSettings('on', uuidOf(off, 1));
    expect((await say(['check', ...settings], environmentOf(off))).stdout).toContain(
      'organization_settings: ok, but not for all organizations (tried for 2, and 1 of them: 404)\n',
    );
  });

  it('says that the API refuses a list without naming a scope, and checks the others', async () => {
    await using refusing = await startFixtureApi({ sizes: [1, 1] });
    refusing.fault({ match: { list: 'roles' }, do: { type: 'answer', status: 403 } });
    const { code, stdout, stderr } = await say(
      ['check', '--streams', 'role_permissions', 'users'],
      environmentOf(refusing),
    );
    expect({ code, stdout }).toEqual({
      code: 2,
      stdout: [
        'organizations: ok, the key sees 2',
        'users: ok',
        'roles: the API refused the list that was tried (403), and named no scope',
        'role_permissions: not checked, because no record of roles was read',
        '',
      ].join('\n'),
    });
    expect(stderr).toContain('The key may not read roles.');
    expect(stderr).toMatch(/\[permission_denied\]\n$/);
  });

  it('does not take a stream that the API does not serve yet for a wrong key', async () => {
    await using older = await startFixtureApi({ sizes: [1] });
    older.fault({ match: { list: 'groups' }, do: { type: 'answer', status: 404, body: {} } });
    const { code, stdout } = await say(['check', '--streams', 'users,groups'], environmentOf(older));
    expect(code).toBe(2);
    expect(stdout).toContain('users: ok\ngroups: the API does not know this list (404)\n');
  });

  it('with a wrong key exits with 2, and repeats neither this key nor any other', async () => {
    const wrong = 'sk-ant-api01-wrong-KEY';
    const { code, stdout, stderr } = await run(['check'], {
      env: environmentOf(api, { ANTHROPIC_COMPLIANCE_ACCESS_KEY: wrong }),
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: GET .* 401 .*\[authentication_failed\]\n$/);
    expect(stderr).not.toContain(wrong);
    expect(stderr).not.toContain(api.key);
  });

  it('exits with 75 where nothing answers', async () => {
    const environment = environmentOf(api, { ANTHROPIC_COMPLIANCE_BASE_URL: 'http://127.0.0.1:1' });
    expect(await say(['check', '--max-retries', '0'], environment)).toMatchObject({ code: 75, stdout: '' });
  });
});
