import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, type FixtureOptions, startFixtureApi } from '../../fixtures/api/index.js';
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
  it('succeeds after one request for each scope', async () => {
    const checked = await check();
    expect(checked.exitCode).toBe(0);
    expect(answer(checked)).toEqual({ status: 'SUCCEEDED' });
    expect(api.requests).toHaveLength(2);
  });

  it.each([
    ['a key that is refused', { api_key: 'sk-ant-api01-wrong' }, /key/],
    ['an address that is none', { base_url: 'nowhere' }, /base_url/],
    ['a page size out of bounds', { page_size: 5000 }, /page_size/],
    ['no key', { api_key: null }, /api_key/],
  ])('answers FAILED and ends with 0 for %s', async (_, config, message) => {
    const checked = await check(config);
    expect(checked.exitCode).toBe(0);
    expect(answer(checked)).toEqual({ status: 'FAILED', message: expect.stringMatching(message) });
  });

  it('tells all mistakes at once, and no value', async () => {
    const { message = '' } = answer(await check({ page_size: 0, timeout: 'soon-4711' })) ?? {};
    expect(message).toMatch(/page_size/);
    expect(message).toMatch(/timeout/);
    expect(message).not.toMatch(/4711/);
  });

  it('names the scope that is missing, also when only users may not be read', async () => {
    await start({ sizes: [3], scopes: ['read:compliance_org_data'] });
    expect(answer(await check())).toEqual({
      status: 'FAILED',
      message: expect.stringContaining('read:compliance_user_data'),
    });
  });

  it('tells no status when the API is out of reach, but a transient error', async () => {
    api.fault({ do: { type: 'answer', status: 503 } });
    const checked = await check();
    expect(checked.exitCode).toBe(1);
    expect(answer(checked)).toBeUndefined();
    expect(errors(checked.messages)).toEqual([expect.objectContaining({ failure_type: 'transient_error' })]);
  });

  it('succeeds without any organisation, and says what it could not see', async () => {
    await start({ sizes: [] });
    const checked = await check();
    expect(answer(checked)?.status).toBe('SUCCEEDED');
    expect(logs(checked.messages, 'WARN')).toEqual([expect.stringContaining('no organisation')]);
  });

  it('asks the next organisation when the first has just been unlinked', async () => {
    const [first] = api.organizations();
    const body = {
      error: { type: 'not_found_error', message: `Organization ${first?.uuid} not found.` },
    };
    api.fault({ match: { path: '/users', nth: 1 }, do: { type: 'answer', status: 404, body } });
    expect(answer(await check())?.status).toBe('SUCCEEDED');
  });

  it('ignores keys that begin with _, and warns of others that mean nothing', async () => {
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
  ])('tells of %s as a message, and ends with 1', async (_, args) => {
    const { exitCode, messages, text } = await run(args);
    expect(exitCode).toBe(1);
    expect(errors(messages)).toEqual([expect.objectContaining({ failure_type: 'config_error' })]);
    expect(text).not.toContain('4711');
  });
});
