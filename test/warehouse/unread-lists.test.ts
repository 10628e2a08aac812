import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { streams } from '../../src/index.js';
import { take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { claudeCompliance } from './support/command.js';
import { query } from './support/duckdb-file.js';

const EVERY_STREAM = streams.map(({ name }) => name);
const [EARLIER, LATER] = ['2026-11-22', '2026-11-23'];

describe('lists that were not read', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let api: FixtureApi;
  let root: string;
  let database: string;
  let made = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  beforeEach(async () => {
    made += 1;
    root = join(folder.path, `root ${made}`);
    database = join(folder.path, `${made}.duckdb`);
    api = await startFixtureApi({ sizes: [2, 3, 5] });
    return () => api.close();
  });

  afterAll(async () => await folder[Symbol.asyncDispose]());

  const takeAll = (runDate: string) =>
    take(api, root, { runDate, streams: EVERY_STREAM, onOrgFailure: 'continue' });
  const load = async (runDate: string, exitCode = 0): Promise<void> => {
    const flags = ['--database', database, '--state', join(folder.path, 'state'), '--from', root];
    const ended = await claudeCompliance([
      ...['load', 'duckdb', ...flags, '--run-date', runDate, '--allow-incomplete'],
    ]);
    expect(ended).toMatchObject({ exitCode, stderr: '' });
  };
  const unread = () =>
    query(
      database,
      'SELECT stream, organization_uuid, role_id, group_id, verdict, reason FROM unread_lists ORDER BY run_date, stream',
    );
  const counts = (stream: string) =>
    query(
      database,
      `SELECT CAST(run_date AS VARCHAR) AS day, is_complete, slice_count, unavailable_count, failed_count FROM snapshots WHERE stream = '${stream}' ORDER BY 1`,
    );
  const organizationsIn = async (view: string) =>
    (await query(database, `SELECT DISTINCT organization_uuid AS uuid FROM ${view}`)).map(({ uuid }) => uuid);

  it('that failed are named with their parents, until the day is loaded again', async () => {
    const uuid = uuidOf(api, 1);
    const role = String([...api.records('roles', uuid)][1]?.id);
    const group = String([...api.records('groups')][2]?.id);
    const { size } = new Set([uuid, role, group]);
    expect(size).toBe(3);
    for (const path of [`${uuid}/users`, `${uuid}/roles/${role}/permissions`, `${group}/members`])
      api.fault({ match: { path: new RegExp(path), times: 1 }, do: { type: 'data-null' } });
    await takeAll(LATER);
    await load(LATER, 1);
    const failed = { organization_uuid: null, role_id: null, group_id: null, verdict: 'failed' };
    const reason = expect.stringMatching(/^[a-z_]+$/);
    expect(await unread()).toEqual([
      { ...failed, stream: 'group_members', group_id: group, reason },
      { ...failed, stream: 'role_permissions', organization_uuid: uuid, role_id: role, reason },
      { ...failed, stream: 'users', organization_uuid: uuid, reason },
    ]);
    expect(await counts('users')).toMatchObject([{ is_complete: false, failed_count: '1' }]);
    expect(await counts('roles')).toMatchObject([{ is_complete: true, failed_count: '0' }]);
    await takeAll(LATER);
    await load(LATER);
    expect(await unread()).toEqual([]);
  });

  it('because the settings of one organisation are off hide no other organisation', async () => {
    api.switchSettings('off', uuidOf(api, 0));
    expect(await takeAll(LATER)).toMatchObject({ status: 'complete' });
    await load(LATER);
    expect(await unread()).toEqual([
      {
        stream: 'organization_settings',
        organization_uuid: uuidOf(api, 0),
        role_id: null,
        group_id: null,
        verdict: 'unavailable',
        reason: 'list_unavailable',
      },
    ]);
    expect(await counts('organization_settings')).toEqual([
      { day: LATER, is_complete: true, slice_count: '3', unavailable_count: '1', failed_count: '0' },
    ]);
    const known = [uuidOf(api, 1), uuidOf(api, 2)];
    expect((await organizationsIn('organization_settings_current')).sort()).toEqual(known.sort());
    expect(await query(database, 'SELECT count(*) AS n FROM api_keys_current')).toEqual([{ n: '4' }]);
  });

  it('because settings are not enabled at all do not pass for none: the view stays where they were known', async () => {
    await takeAll(EARLIER);
    api.switchSettings('off');
    await takeAll(LATER);
    for (const runDate of [EARLIER, LATER]) await load(runDate);
    for (const [stream, lists] of [
      ['organization_settings', '3'],
      ['api_keys', '1'],
    ] as const) {
      expect(await counts(stream)).toEqual([
        { day: EARLIER, is_complete: true, slice_count: lists, unavailable_count: '0', failed_count: '0' },
        { day: LATER, is_complete: false, slice_count: lists, unavailable_count: lists, failed_count: '0' },
      ]);
      expect(await query(database, `SELECT DISTINCT snapshot_date AS day FROM ${stream}_current`)).toEqual([
        { day: EARLIER },
      ]);
    }
    expect(await query(database, 'SELECT DISTINCT snapshot_date AS day FROM users_current')).toEqual([
      { day: LATER },
    ]);
  });
});
