import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTable } from '../../connectors/warehouse/ddl.js';
import { duckdbDialect } from '../../connectors/warehouse/duckdb/dialect.js';
import { tables } from '../../connectors/warehouse/model.js';
import { createViews } from '../../connectors/warehouse/views.js';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, type Manifest, streams } from '../../src/index.js';
import { referenceRows, rowTexts } from '../access/support/reference.js';
import { runs } from '../property-runs.js';
import { RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';
import { thinOut } from '../thin-out.js';
import { accessIn, startPartlyUnread, takePartlyUnread } from './support/access.js';
import { accessAnswer, accessQueries, inOrder } from './support/auditor.js';
import { claudeCompliance } from './support/command.js';
import { query } from './support/duckdb-file.js';
import { directoriesByDay, ownRowsOf, tablesIn } from './support/plain-snapshots.js';

const EVERY_STREAM = streams.map(({ name }) => name);

describe('the view effective_access in DuckDB', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;
  let database: string;
  let made = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  beforeEach(() => {
    made += 1;
    root = join(folder.path, `root ${made}`);
    database = join(folder.path, `${made}.duckdb`);
  });
  afterAll(async () => await folder[Symbol.asyncDispose]());

  const load = async (runDate = RUN_DATE): Promise<void> => {
    const place = ['--database', database, '--state', join(folder.path, 'state'), '--from', root];
    const flags = [...place, '--run-date', runDate, '--allow-incomplete'];
    expect(await claudeCompliance(['load', 'duckdb', ...flags])).toMatchObject({ stderr: '' });
  };
  const rowsIn = async (view: string) => rowTexts(await query(database, `SELECT * FROM ${view}`));
  const derived = async (runDate = RUN_DATE) => rowTexts(await accessIn(root, runDate));

  it('has the rows of the rules, of every day, whatever was not read', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const into = { dialect: duckdbDialect, schema: 'main' };
    for (const table of tables) await connection.run(createTable({ ...into, table }));
    for (const statement of createViews(duckdbDialect, 'main')) await connection.run(statement);
    await fc.assert(
      fc.asyncProperty(directoriesByDay, async (days) => {
        for (const { name } of tables) await connection.run(`DELETE FROM ${name}`);
        for (const day of days) {
          for (const statement of ownRowsOf(day, into)) await connection.run(statement);
          for (const { stream, rows } of tablesIn(day)) {
            const columns = stream.schema.fields.map(({ name, type }) => [name, duckdbDialect.types[type]]);
            await connection.run(
              `INSERT INTO ${stream.name}_snapshot SELECT unnest(from_json($1, $2), recursive := true)`,
              [JSON.stringify(rows), JSON.stringify([Object.fromEntries(columns)])],
            );
          }
        }
        const found = await connection.runAndReadAll('SELECT * FROM effective_access');
        expect(rowTexts(found.getRowObjectsJson() as object[])).toEqual(
          rowTexts(days.flatMap(referenceRows)),
        );
      }),
      { numRuns: runs(6) },
    );
    connection.closeSync();
  });

  it('has what the library derives from an awkward directory, of which every kind of row is there', async () => {
    await using api = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
    thinOut(api);
    await take(api, root, { sink: createSink('parquet'), streams: EVERY_STREAM });
    await load();
    expect(await rowsIn('effective_access')).toEqual(await derived());
    expect(await rowsIn('effective_access_current')).toEqual(await derived());
    const kinds = await query(
      database,
      "SELECT DISTINCT concat_ws(' ', membership, source, coalesce(reason, status)) AS kind FROM effective_access ORDER BY 1",
    );
    expect(kinds.map(({ kind }) => kind)).toEqual([
      'elsewhere group known',
      'elsewhere group role_not_listed',
      'member group group_roles_unavailable',
      'member group known',
      'member organization_role known',
      'member organization_role organization_role_not_served',
      'none group known',
      'none group role_not_listed',
    ]);
    expect(await query(database, 'SELECT DISTINCT is_blanket FROM effective_access ORDER BY 1')).toEqual([
      { is_blanket: false },
      { is_blanket: true },
    ]);
  });

  it.each(['parquet', 'ndjson', 'csv'])(
    'has what the library derives where lists failed: %s',
    async (format) => {
      await using api = await startPartlyUnread();
      const manifest: Manifest = await takePartlyUnread(api, root, { sink: createSink(format) });
      expect(manifest.totals).toMatchObject({ failed: 4, unavailable: 1 });
      await load();
      expect(await rowsIn('effective_access')).toEqual(await derived());
      const reasons = await query(
        database,
        "SELECT DISTINCT reason FROM effective_access WHERE status = 'unknown' ORDER BY 1",
      );
      expect(reasons.map(({ reason }) => reason)).toEqual(
        expect.arrayContaining([
          'group_members_not_read',
          'group_roles_unavailable',
          'role_permissions_not_read',
          'roles_not_read',
          'users_not_read',
        ]),
      );
    },
  );

  it('answers the question of the README as the library does', async () => {
    await using api = await startFixtureApi({ organizations: 6, users: 200 });
    await take(api, root, { streams: EVERY_STREAM });
    await load();
    const queries = await accessQueries();
    expect(queries).toHaveLength(1);
    const expected = accessAnswer(await accessIn(root, RUN_DATE));
    expect(new Set(expected.map(({ status }) => status))).toEqual(new Set(['known', 'unknown']));
    expect(inOrder(await query(database, String(queries[0])))).toEqual(inOrder(expected));
  });

  it.each([
    ['the default streams', { streams: ['organizations', 'users'] }],
    ['groups without members', { streams: ['groups', 'roles'] }],
    [
      'members without groups, and permissions without roles',
      { streams: ['users', 'group_members', 'role_permissions'] },
    ],
  ])('has what the library derives from %s', async (_, options) => {
    await using api = await startFixtureApi({ sizes: [5, 0, 3] });
    await take(api, root, options);
    await load();
    expect(await rowsIn('effective_access')).toEqual(await derived());
    expect(await rowsIn('effective_access_current')).toEqual(await derived());
  });

  it('has what the library derives from one organisation of several', async () => {
    await using api = await startFixtureApi({ sizes: [5, 4, 3] });
    await take(api, root, { streams: EVERY_STREAM, org: [String(api.organizations()[1]?.uuid)] });
    await load();
    expect(await rowsIn('effective_access')).toEqual(await derived());
  });

  it('is, for the current day, of the newest complete snapshot of all that is needed, else of the newest', async () => {
    await using api = await startFixtureApi({ sizes: [5, 4] });
    const currentDay = async () =>
      (await query(database, 'SELECT DISTINCT snapshot_date AS day FROM effective_access_current')).map(
        ({ day }) => day,
      );
    await take(api, root, { runDate: '2026-11-20' });
    await load('2026-11-20');
    expect(await currentDay()).toEqual(['2026-11-20']);
    await take(api, root, { runDate: '2026-11-21', streams: EVERY_STREAM });
    await take(api, root, { runDate: '2026-11-22' });
    await using broken = await startPartlyUnread();
    await takePartlyUnread(broken, root, { runDate: RUN_DATE });
    for (const runDate of [RUN_DATE, '2026-11-22', '2026-11-21']) await load(runDate);
    expect(await currentDay()).toEqual(['2026-11-21']);
    expect(await rowsIn('effective_access_current')).toEqual(await derived('2026-11-21'));
  });
});
