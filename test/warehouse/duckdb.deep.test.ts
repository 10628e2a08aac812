import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { snapshotTables } from '../../connectors/warehouse/model.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  type Manifest,
  scopedStream,
  sinkFormats,
  streams,
} from '../../src/index.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { thinOut } from '../thin-out.js';
import { claudeCompliance, environmentOf, UNHURRIED } from './support/command.js';
import { query, tableOf, textRows } from './support/duckdb-file.js';
import { COMBINED, pruneBefore, takeCombined } from './support/layouts.js';
import { servedRows, sorted, type TextRow, withJsonOfDuckdb } from './support/served.js';

const RUN_DATE = '2026-11-23';
const EVERY_STREAM = streams.map(({ name }) => name);
const users = tableOf('users');
const roles = tableOf('roles');
const LOADABLE = sinkFormats.filter(({ duckdb }) => duckdb).map(({ name }) => name);

let awkward: FixtureApi;
let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let database: string;
let made = 0;

beforeAll(async () => {
  awkward = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
  thinOut(awkward);
  api = await startFixtureApi({ sizes: [2, 0, 5] });
  folder = await temporaryFolder();
});

beforeEach(() => {
  made += 1;
  root = join(folder.path, `root [${made}]*`); // a path that DuckDB would take for a pattern
  database = join(folder.path, `it's ${made}.duckdb`);
});

afterAll(async () => {
  await awkward.close();
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const load = (...flags: string[]) =>
  claudeCompliance(
    ['load', 'duckdb', '--database', database, '--state', join(folder.path, 'state'), ...flags],
    environmentOf(awkward),
  );
const loadFromApi = (...flags: string[]) => load(...UNHURRIED, ...flags);
const streamFlags = (names: readonly string[]) => names.flatMap((name) => ['--streams', name]);

/** A snapshot in which the list of one organisation is missing. */
const takeIncomplete = async (runDate: string): Promise<Manifest> => {
  const broken = await startFixtureApi({ sizes: [2, 0, 5] });
  const [, , third] = broken.organizations();
  broken.fault({ match: { organizationUuid: String(third?.uuid) }, do: { type: 'data-null' } });
  const manifest = await take(broken, root, { runDate, onOrgFailure: 'continue' });
  await broken.close();
  return manifest;
};

/** Those with a list for each organisation at most: an awkward directory has hundreds of lists below its roles and groups. */
const FEW_LISTS = streams
  .filter(({ parent }) => !parent || parent.stream === scopedStream)
  .map(({ name }) => name);

const expectEveryRow = async (format = 'parquet', names: readonly string[] = EVERY_STREAM) => {
  for (const table of snapshotTables.filter(({ stream }) => names.includes(stream))) {
    const asRead = (rows: TextRow[]) => sorted(format === 'ndjson' ? withJsonOfDuckdb(rows, table) : rows);
    const served = asRead(servedRows(awkward, table, RUN_DATE));
    expect(served.length).toBeGreaterThan(0);
    for (const from of [table.name, table.currentView]) {
      expect(asRead(await textRows(database, table, from))).toEqual(served);
    }
  }
};

describe('load duckdb', () => {
  it('lands every stream that is asked for as the API serves it, value for value', async () => {
    const { exitCode, stdout, stderr } = await loadFromApi(
      '--run-date',
      RUN_DATE,
      ...streamFlags(EVERY_STREAM),
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const roleCount = servedRows(awkward, roles, RUN_DATE).length;
    expect(stdout).toContain(
      `complete snapshot of 2026-11-23: 8 organizations, 900 users, ${roleCount} roles`,
    );
    await expectEveryRow();
    expect((await stat(database)).mode & 0o777).toBe(0o600);
  });

  it('reads organisations and users from the API when no streams are named', async () => {
    await loadFromApi('--run-date', RUN_DATE);
    expect(await query(database, 'SELECT stream FROM snapshots ORDER BY stream')).toEqual([
      { stream: 'organizations' },
      { stream: 'users' },
    ]);
    expect(await textRows(database, users)).toHaveLength(900);
    expect(await textRows(database, roles)).toEqual([]);
  });

  it.each(LOADABLE)('lands the same from a dump in %s', async (format) => {
    await take(awkward, root, { sink: createSink(format), streams: EVERY_STREAM });
    expect(await load('--from', root)).toMatchObject({ exitCode: 0, stderr: '' });
    await expectEveryRow(format);
  });

  it.each(
    COMBINED.flatMap((layout) => ['parquet', 'ndjson', 'csv'].map((format) => [layout, format] as const)),
  )('lands the same from a day that was %s, in %s', async (layout, format) => {
    const sink = createSink(format);
    const manifest = await takeCombined(awkward, root, { layout, sink, streams: FEW_LISTS });
    expect(manifest.tables.roles).toMatchObject({ layout: 'per-date', files: [expect.anything()] });
    expect(await load('--from', root)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await query(database, 'SELECT DISTINCT run_id FROM snapshots')).toEqual([
      { run_id: manifest.run_id },
    ]);
    await expectEveryRow(format, FEW_LISTS);
  });

  it('lands the same from files compressed with gzip', async () => {
    await take(awkward, root, {
      sink: createSink('csv', { compression: 'gzip' }),
      streams: FEW_LISTS,
    });
    expect(await load('--from', root)).toMatchObject({ exitCode: 0, stderr: '' });
    await expectEveryRow('csv', FEW_LISTS);
  });

  it('lands the days of a root of both layouts, and refuses one that was pruned', async () => {
    for (const runDate of ['2026-11-20', '2026-11-21', RUN_DATE]) await take(api, root, { runDate });
    await compact({ storage: new LocalStorage(root), runDate: '2026-11-21' });
    await pruneBefore(root, '2026-11-21');
    expect(await load('--from', root, '--run-date', '2026-11-20')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('snapshot_pruned'),
    });
    for (const runDate of ['2026-11-21', RUN_DATE]) await load('--from', root, '--run-date', runDate);
    expect(
      await query(
        database,
        'SELECT snapshot_date AS day, count(*) AS n FROM users_snapshot GROUP BY 1 ORDER BY 1',
      ),
    ).toEqual(['2026-11-21', RUN_DATE].map((day) => ({ day, n: '7' })));
  });

  it('says of each stream what was loaded', async () => {
    const { run_id } = await take(api, root, { streams: EVERY_STREAM });
    await load('--from', root);
    const rowCount = (stream: string) => servedRows(api, { stream }, RUN_DATE).length;
    const slices = {
      api_keys: 1,
      group_members: rowCount('groups'),
      groups: 1,
      organization_settings: 3,
      organizations: 1,
      role_permissions: rowCount('roles'),
      roles: 3,
      users: 3,
    };
    const counts = { gone_count: '0', unavailable_count: '0', failed_count: '0' };
    expect(
      await query(
        database,
        'SELECT stream, run_id, status, is_complete, has_all_organizations, row_count, slice_count, gone_count, unavailable_count, failed_count FROM snapshots ORDER BY stream',
      ),
    ).toEqual(
      Object.entries(slices).map(([stream, count]) => ({
        ...{ stream, run_id, status: 'complete', is_complete: true, has_all_organizations: true, ...counts },
        ...{ row_count: String(rowCount(stream)), slice_count: String(count) },
      })),
    );
    expect(await query(database, 'SELECT * FROM unread_lists')).toEqual([]);
  });

  it.each(LOADABLE)(
    'keeps a JSON text apart from a text, and null apart from an empty list: %s',
    async (format) => {
      await take(api, root, { sink: createSink(format), streams: EVERY_STREAM });
      await load('--from', root);
      const values = await query(
        database,
        "SELECT DISTINCT name, CAST(value AS VARCHAR) AS value FROM organization_settings_current WHERE name IN ('support_notice', 'custom_terms_url', 'blocked_connectors', 'public_projects_enabled') ORDER BY 1, 2",
      );
      expect(values).toEqual([
        { name: 'blocked_connectors', value: '[]' },
        { name: 'custom_terms_url', value: null },
        { name: 'public_projects_enabled', value: 'false' },
        {
          name: 'support_notice',
          value: JSON.stringify('Questions? Ask "IT" & <the helpdesk>.\nThank you.'),
        },
      ]);
      const groups = await query(
        database,
        'SELECT CAST(roles AS VARCHAR) AS roles, count(*) AS n FROM groups_current WHERE roles IS NULL OR json_array_length(roles) = 0 GROUP BY 1 ORDER BY 1 NULLS LAST',
      );
      expect(groups.map(({ roles }) => roles)).toEqual(['[]', null]);
      expect(await query(database, 'SELECT DISTINCT is_active FROM api_keys_current ORDER BY 1')).toEqual([
        { is_active: false },
        { is_active: true },
      ]);
    },
  );

  it('gives the same when it is run again, and replaces a date completely', async () => {
    await take(api, root);
    await load('--from', root);
    const first = await textRows(database, users);
    await load('--from', root);
    expect(sorted(await textRows(database, users))).toEqual(sorted(first));

    api.removeUser(String(api.organizations()[2]?.uuid), 0);
    await take(api, root);
    await load('--from', root);
    expect(await textRows(database, users)).toHaveLength(first.length - 1);
    api.insertUser(String(api.organizations()[2]?.uuid), 0);
    expect(await query(database, "SELECT run_date, row_count FROM snapshots WHERE stream = 'users'")).toEqual(
      [{ run_date: RUN_DATE, row_count: String(first.length - 1) }],
    );
  });

  it('puts the tables into --schema, whatever its name', async () => {
    await take(api, root);
    await load('--from', root, '--schema', 'select.x-y');
    expect(await textRows(database, users, '"select.x-y".users_current')).toHaveLength(7);
  });

  it('ends with 75 and names the process when another one has the database open', async () => {
    await take(api, root);
    await load('--from', root);
    const hold = `import('@duckdb/node-api').then(async ({ DuckDBInstance }) => {
      const instance = await DuckDBInstance.create(process.argv[1]);
      await instance.connect();
      console.log('held');
      setInterval(() => instance, 1000);
    })`;
    const holder = spawn(process.execPath, ['--eval', hold, database], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(holder.stdout, 'data');
      const { exitCode, stderr } = await load('--from', root);
      expect(exitCode).toBe(75);
      expect(stderr).toContain(`is in use by another process (pid ${holder.pid})`);
    } finally {
      holder.kill();
      await once(holder, 'exit');
    }
    expect(await load('--from', root)).toMatchObject({ exitCode: 0 });
  });

  it('says what is wrong with a file that is no database, before the API is requested', async () => {
    await writeFile(database, 'something else entirely, and not short at all');
    const requested = awkward.requests.length;
    expect(await loadFromApi()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('database_invalid'),
    });
    expect(awkward.requests.length).toBe(requested);
  });
});

describe('the views on the current snapshot', () => {
  const dayOf = async (view: string) =>
    (await query(database, `SELECT DISTINCT snapshot_date AS day FROM ${view}`)).map(({ day }) => day);

  it('show the newest complete date, in whatever order the dates come', async () => {
    for (const runDate of ['2026-11-20', '2026-11-21']) await take(api, root, { runDate });
    await takeIncomplete('2026-11-22');
    expect(await load('--from', root, '--run-date', '2026-11-22', '--allow-incomplete')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('it is incomplete: the views on the current snapshot leave it out'),
    });
    expect(await dayOf('users_current')).toEqual([]);
    await load('--from', root, '--run-date', '2026-11-21');
    await load('--from', root, '--run-date', '2026-11-20');
    expect(await dayOf('users_current')).toEqual(['2026-11-21']);
    expect(await query(database, 'SELECT count(DISTINCT snapshot_date) AS n FROM users_snapshot')).toEqual([
      { n: '3' },
    ]);
  });

  it('go stream by stream: a date without roles leaves the roles of the date before', async () => {
    await take(api, root, { runDate: '2026-11-21', streams: EVERY_STREAM });
    await take(api, root, { runDate: '2026-11-22' });
    for (const runDate of ['2026-11-21', '2026-11-22']) await load('--from', root, '--run-date', runDate);
    expect(await dayOf('users_current')).toEqual(['2026-11-22']);
    expect(await dayOf('roles_current')).toEqual(['2026-11-21']);
  });

  it('leave out a date of which only some organisations or streams were asked for', async () => {
    const uuid = String(awkward.organizations()[3]?.uuid);
    expect(await loadFromApi('--org', uuid, '--run-date', '2026-11-21')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('it is scoped'),
    });
    expect(await query(database, 'SELECT DISTINCT organization_uuid AS uuid FROM users_snapshot')).toEqual([
      { uuid },
    ]);
    expect(await dayOf('users_current')).toEqual([]);
    await loadFromApi(...streamFlags(['roles']), '--run-date', '2026-11-22');
    expect(await dayOf('roles_snapshot')).toEqual(['2026-11-22']);
    expect(await dayOf('roles_current')).toEqual([]);
  });
});

describe('less never replaces more:', () => {
  beforeEach(async () => {
    await take(api, root, { streams: EVERY_STREAM });
    await load('--from', root);
    await rm(root, { recursive: true });
  });

  it.each([
    [
      'a snapshot of one organisation',
      'would_replace_wider',
      () => take(api, root, { org: [String(api.organizations()[0]?.uuid)], streams: EVERY_STREAM }),
    ],
    ['a snapshot without roles', 'would_replace_wider', () => take(api, root)],
    [
      'an incomplete snapshot of as many streams',
      'would_replace_complete',
      async () => {
        const broken = await startFixtureApi({ sizes: [2, 0, 5] });
        broken.fault({ match: { list: 'roles', nth: 1 }, do: { type: 'data-null' } });
        await take(broken, root, { streams: EVERY_STREAM, onOrgFailure: 'continue' });
        await broken.close();
      },
    ],
  ])('%s is refused (%s), and every row is kept', async (_, code, takeLess) => {
    const before = await textRows(database, roles);
    await takeLess();
    expect(await load('--from', root, '--run-date', RUN_DATE, '--allow-incomplete')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(code),
    });
    expect(await textRows(database, users)).toHaveLength(7);
    expect(await textRows(database, roles)).toEqual(before);
  });

  it('a snapshot that holds more replaces one that holds less', async () => {
    await take(api, root, { runDate: '2026-11-22' });
    await load('--from', root);
    await take(api, root, { runDate: '2026-11-22', streams: EVERY_STREAM });
    expect(await load('--from', root)).toMatchObject({ exitCode: 0 });
    expect(
      await query(database, "SELECT stream FROM snapshots WHERE run_date = '2026-11-22' ORDER BY 1"),
    ).toEqual([...EVERY_STREAM].sort().map((stream) => ({ stream })));
  });
});
