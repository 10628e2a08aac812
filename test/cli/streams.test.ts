import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, manifestSchema, streams } from '../../src/index.js';
import { rowsOf, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

const NAMES = streams.map(({ name }) => name);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const dump = (api: FixtureApi, ...args: string[]) =>
  say(
    [
      'dump',
      ...['--out', join(folder.path, 'out'), '--run-date', '2026-11-23', '--format', 'ndjson'],
      ...['--requests-per-minute', '0', '--progress', args.includes('--progress') ? 'json' : 'none'],
      ...args.filter((arg) => arg !== '--progress'),
    ],
    environmentOf(api),
  );
const published = async (): Promise<Manifest> =>
  manifestSchema.parse(
    JSON.parse(await readFile(join(folder.path, 'out/_runs/run_date=2026-11-23/manifest.json'), 'utf8')),
  );

describe('--streams', () => {
  it('all reads every stream that the API serves, and the manifest names each', async () => {
    await using api = await startFixtureApi({ sizes: [3, 0, 40], awkward: true });
    const { code, stdout } = await dump(api, '--streams', 'all');
    expect(code).toBe(0);
    const manifest = await published();
    expect(manifest).toMatchObject({
      status: 'complete',
      scope: { streams: NAMES },
      configuration: { streams: NAMES },
    });
    expect(Object.keys(manifest.tables)).toEqual(NAMES);
    const counts = NAMES.map((name) => `${manifest.tables[name]?.rows.toLocaleString('en-GB')} ${name}`);
    expect(stdout).toContain(`complete snapshot of 2026-11-23: ${counts.join(', ')}\n`);
    const members = [...api.records('groups')].flatMap(({ id }) => [
      ...api.records('group_members', String(id)),
    ]);
    const rows = await rowsOf(join(folder.path, 'out'), manifest, 'group_members');
    expect(rows.map(({ user_id }) => user_id)).toEqual(members.map(({ user_id }) => user_id));
  });

  it.each([
    [['--streams', 'groups,roles']],
    [['--streams', 'roles', 'groups', 'roles']],
    [['--streams', ' roles , groups ']],
    [['--streams', 'roles,', '--streams', 'groups']],
  ])('takes names by spaces and commas, in any order: %j', async (flags) => {
    await using api = await startFixtureApi({ sizes: [1] });
    expect(await dump(api, ...flags)).toMatchObject({ code: 0 });
    expect((await published()).scope.streams).toEqual(['roles', 'groups']);
  });

  it('takes the same from a file', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    const config = join(folder.path, 'config.json');
    await writeFile(config, JSON.stringify({ streams: 'groups, organizations' }));
    expect(await dump(api, '--config', config)).toMatchObject({ code: 0 });
    expect((await published()).scope.streams).toEqual(['organizations', 'groups']);
  });

  it('refuses names that are unknown, and none at all', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    const misspelt = await dump(api, '--streams', 'users,groupes');
    expect(misspelt.code).toBe(2);
    expect(misspelt.stderr).toContain('--streams (value 2) must be one of organizations');
    expect(misspelt.stderr).toContain('did you mean groups?');
    expect((await dump(api, '--streams', ',')).stderr).toContain('--streams must not be empty.');
    expect(api.requests).toEqual([]);
  });
});

describe('a stream that the key may not read', () => {
  const few = Array.from({ length: 12 }, () => 2);

  it.each([
    ['users', ['users'], 1],
    ['group_members', ['group_members'], 1],
    ['users', ['all'], 2],
  ])('ends the dump before more lists are read than at a time: %s of %j', async (named, asked, roots) => {
    const scopes = ['read:compliance_org_data'] as const;
    await using api = await startFixtureApi({ sizes: few, groups: 20, scopes });
    for (const list of ['roles', 'organization_settings'])
      api.fault({ match: { list }, do: { type: 'delay', ms: 200 } });
    const { code, stdout, stderr } = await dump(api, '--streams', ...asked);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(
      `error: The key may not read ${named}: it lacks the scope read:compliance_user_data. Nothing was published. Use a key that has it, or leave ${named} out of --streams`,
    );
    expect(stderr).toMatch(/\[missing_scope\]\n$/);
    expect(api.requests.length).toBeLessThanOrEqual(roots + 8);
    expect(await readdir(join(folder.path, 'out'))).not.toContain('users');
  });

  it('that is needed for another one is named, too', async () => {
    await using api = await startFixtureApi({ sizes: few, scopes: ['read:compliance_user_data'] });
    const { code, stderr } = await dump(api, '--streams', 'group_members');
    expect(code).toBe(2);
    expect(stderr).toContain('The key may not read groups: it lacks the scope read:compliance_org_data.');
    expect(api.requests).toHaveLength(1);
  });

  it('by one list only is an incomplete snapshot with --on-org-failure continue, and exit code 1', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4, 5] });
    const organizationUuid = uuidOf(api, 1);
    api.fault({ match: { list: 'roles', organizationUuid }, do: { type: 'answer', status: 403 } });
    const asked = ['--streams', 'users,roles,role_permissions', '--max-retries', '0'];
    const stopped = await dump(api, ...asked);
    expect(stopped.code).toBe(2);
    expect(stopped.stderr).toContain(`Reading roles of ${organizationUuid} failed, so nothing is published.`);
    const { code, stdout } = await dump(api, ...asked, '--on-org-failure', 'continue');
    expect(code).toBe(1);
    expect(stdout).toContain('incomplete snapshot of 2026-11-23: 12 users, ');
    expect(stdout).toMatch(new RegExp(`failed, not in the snapshot:\\n +roles ${organizationUuid}: .*403`));
    const { tables, totals } = await published();
    expect(tables.roles?.slices.map(({ verdict }) => verdict)).toEqual(['complete', 'failed', 'complete']);
    expect(totals).toMatchObject({ failed: 1, unavailable: 0 });
  });
});

describe('lists that the API does not serve', () => {
  const asked = ['--streams', 'organizations,organization_settings,api_keys'];
  const sentences = [
    'organization_settings: not enabled for this parent organisation (all 3 lists were answered with 404); nothing is known of its rows',
    'api_keys: not enabled for this parent organisation (its list was answered with 404); nothing is known of its rows',
  ];

  it('are one line each in the summary, and are no failure', async () => {
    await using api = await startFixtureApi({ sizes: [1, 1, 1], settings: 'off' });
    const { code, stdout, stderr } = await dump(api, ...asked);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(
      'scoped snapshot of 2026-11-23: 3 organizations, organization_settings unknown, api_keys unknown',
    );
    expect(lines.filter((line) => line.includes('404'))).toEqual(sentences.map((line) => `  ${line}`));
  });

  it('are one JSON event each', async () => {
    await using api = await startFixtureApi({ sizes: [1, 1, 1], settings: 'off' });
    const { stderr } = await dump(api, ...asked, '--progress');
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const about = events.filter(({ type, verdict }) => type === 'lists-unavailable' || verdict !== undefined);
    expect(about).toMatchObject([
      {
        type: 'lists-unavailable',
        stream: 'organization_settings',
        lists: 3,
        of: 3,
        message: `${sentences[0]}.`,
      },
      { type: 'lists-unavailable', stream: 'api_keys', lists: 1, of: 1, message: `${sentences[1]}.` },
    ]);
  });

  it('of some organisations are counted', async () => {
    await using api = await startFixtureApi({ sizes: [1, 1, 1] });
    api.switchSettings('off', uuidOf(api, 2));
    const { code, stdout } = await dump(api, ...asked);
    expect(code).toBe(0);
    const { tables } = await published();
    expect(stdout).toContain(`3 organizations, ${tables.organization_settings?.rows} organization_settings,`);
    expect(stdout).toContain(
      '  organization_settings: 1 of 3 lists are not available (answered with 404); nothing is known of their rows\n',
    );
  });

  it.each([[[]], [['--org']]])('do not look like a table without rows on stdout: %j', async (org) => {
    await using api = await startFixtureApi({ sizes: [1, 1, 1], settings: 'off' });
    const uuids = org.length > 0 ? [...org, uuidOf(api, 0), uuidOf(api, 1)] : [];
    for (const stream of ['organization_settings', 'api_keys']) {
      const flags = ['--out', '-', '--format', 'csv', '--streams', stream, '--progress', 'none'];
      const { code, stdout, stderr } = await say(['dump', ...flags, ...uuids], environmentOf(api));
      expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 1 });
      expect(stderr).toMatch(
        new RegExp(
          `^note: ${stream}: not enabled for this parent organisation \\(.*404\\); nothing is known`,
        ),
      );
    }
    const places = new Set(api.requests.map(({ organizationUuid }) => organizationUuid));
    if (org.length > 0) expect(places).not.toContain(uuidOf(api, 2));
  });
});
