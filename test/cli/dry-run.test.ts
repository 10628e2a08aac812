import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { temporaryFolder, uuidOf } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [3, 0, 40, 1001], groups: 5 });
  folder = await temporaryFolder();
});
afterEach(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const dump = (...args: string[]) =>
  say(['dump', '--out', folder.path, '--progress', 'none', ...args], environmentOf(api));
const rolesOf = (...indexes: number[]): number =>
  indexes.reduce((sum, index) => sum + [...api.records('roles', uuidOf(api, index))].length, 0);

/** The lines of the table, each without its columns' spaces. */
const tableOf = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter((line) => /^[a-z_]+ {2,}(exactly|at least|about|unknown)/.test(line))
    .map((line) => line.replace(/ {2,}/g, ' | '));

describe('dump --dry-run', () => {
  it('lists the organisations, says what the default streams cost, and writes nothing', async () => {
    const { code, stdout } = await dump('--dry-run');
    expect(code).toBe(0);
    const listed = api.organizations().map(({ uuid, name }) => `${uuid}  ${name}`);
    expect(stdout.split('\n').slice(0, 4)).toEqual(listed);
    expect(tableOf(stdout)).toEqual([
      'organizations | exactly 1 | < 0.1 | just read: 4 are listed',
      'users | at least 4 | < 0.1 | one for each of the organizations, more where a list has several pages',
    ]);
    expect(stdout).toContain(
      'Total: at least 5 requests; < 0.1 minutes at 600 requests a minute, or more.\nNothing was written. This dry run took 1 request.\n',
    );
    expect(await readdir(folder.path)).toEqual([]);
    expect(api.requests.map(({ path }) => path)).toEqual(['/v1/compliance/organizations']);
  });

  it('reads organisations and groups only, and says that the number of roles is not known', async () => {
    const { stdout } = await dump('--dry-run', '--streams', 'all');
    const each = (above: string) => `one for each of the ${above}`;
    const more = ', more where a list has several pages';
    expect(tableOf(stdout)).toEqual([
      'organizations | exactly 1 | < 0.1 | just read: 4 are listed',
      `users | at least 4 | < 0.1 | ${each('organizations')}${more}`,
      `roles | at least 4 | < 0.1 | ${each('organizations')}${more}`,
      `role_permissions | unknown | at least ${each('roles')}, whose number is not known`,
      'groups | exactly 1 | < 0.1 | just read: 5 are listed',
      `group_members | at least 5 | < 0.1 | ${each('groups')}${more}`,
      `organization_settings | exactly 4 | < 0.1 | ${each('organizations')}`,
      'api_keys | at least 1 | < 0.1 | through one of the organizations',
    ]);
    expect(stdout).toContain(
      'Total: at least 20 requests, an unknown number more for role_permissions; < 0.1 minutes',
    );
    expect(api.requests.map(({ path }) => path)).toEqual([
      '/v1/compliance/organizations',
      '/v1/compliance/groups',
    ]);
  });

  it('takes the number of roles from the newest snapshot in --out, and says from which day', async () => {
    const roles = ['--streams', 'all', '--format', 'csv'];
    await dump(...roles, '--run-date', '2026-11-20');
    api.list('roles', uuidOf(api, 0)).remove(0);
    await dump(...roles, '--run-date', '2026-11-21');
    // Newer, and it does not know the roles.
    await dump('--run-date', '2026-11-22', '--format', 'csv');
    const all = await dump('--dry-run', ...roles);
    const number = rolesOf(0, 1, 2, 3);
    expect(tableOf(all.stdout)[3]).toBe(
      `role_permissions | about ${number} | < 0.1 | one for each of the roles in the snapshot of 2026-11-21, more where a list has several pages`,
    );
    expect(all.stdout).toContain(`Total: at least 20 requests, about ${number} more for role_permissions; `);
    const some = await dump('--dry-run', ...roles, '--org', uuidOf(api, 2).toUpperCase(), uuidOf(api, 3));
    expect(tableOf(some.stdout).slice(0, 4)).toEqual([
      'organizations | exactly 1 | < 0.1 | just read: 2 are listed',
      expect.stringContaining('users | at least 2 |'),
      expect.stringContaining('roles | at least 2 |'),
      expect.stringContaining(`role_permissions | about ${rolesOf(2, 3)} |`),
    ]);
  });

  it('prints JSON: the organisations, what each stream costs, the pace, and what it spent itself', async () => {
    const { code, stdout, stderr } = await dump('--dry-run', '--json', '--streams', 'users,groups');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      organizations: api.organizations().map(({ uuid, name }) => ({ uuid, name })),
      streams: [
        { stream: 'organizations', requests: 1, certainty: 'exactly', why: expect.any(String) },
        { stream: 'users', requests: 4, certainty: 'at least', why: expect.any(String) },
        { stream: 'groups', requests: 1, certainty: 'at least', why: expect.any(String) },
      ],
      requests_per_minute: 600,
      requests_spent: 1,
    });
  });

  it('is right: a dump takes as many requests as it says exactly, and no fewer than it says at least', async () => {
    const streams = ['--streams', 'organization_settings', 'group_members', '--requests-per-minute', '0'];
    const { stdout } = await dump('--dry-run', ...streams);
    expect(stdout).toMatch(/^Total: at least 11 requests\.$/m);
    const before = api.requests.length;
    await dump(...streams);
    expect(api.requests.length - before).toBe(11);
  });

  it('counts the pages of a list that it has read, and minutes by what the API grants', async () => {
    await api.close();
    api = await startFixtureApi({ sizes: [1], groups: 2500, requestsPerMinute: 200 });
    const { stdout } = await dump('--dry-run', '--streams', 'group_members,groups');
    expect(tableOf(stdout)).toEqual([
      'groups | exactly 3 | < 0.1 | just read: 2,500 are listed',
      'group_members | at least 2,500 | 13.9 | one for each of the groups, more where a list has several pages',
    ]);
    expect(stdout).toContain('Total: at least 2,503 requests; 13.9 minutes at 180 requests a minute');
    expect(stdout).toContain('This dry run took 3 requests.');
  });

  it('requests nothing when only lists without a parent are asked for', async () => {
    const { stdout } = await dump('--dry-run', '--streams', 'groups');
    expect(tableOf(stdout)).toEqual(['groups | at least 1 | < 0.1 | more where a list has several pages']);
    expect(api.requests).toEqual([]);
  });

  it('refuses an organisation that is not listed', async () => {
    const unknown = await dump('--dry-run', '--org', '00000000-0000-4000-8000-000000000000');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
  });
});
