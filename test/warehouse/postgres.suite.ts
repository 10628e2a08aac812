import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SnapshotTable, snapshotTables } from '../../connectors/warehouse/model.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { compact, createSink, LocalStorage, streams } from '../../src/index.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { auditorAnswers, auditorQueries, EARLIER, inOrder, LATER, memberships } from './support/auditor.js';
import { claudeCompliance, environmentOf, UNHURRIED } from './support/command.js';
import { tableOf } from './support/duckdb-file.js';
import { COMBINED, pruneBefore, takeCombined } from './support/layouts.js';
import { type PostgresServer, startPostgres } from './support/postgres-server.js';
import { servedRows, sorted, type TextRow, withJsonOfDuckdb } from './support/served.js';
import { DAYS, NEWEST_COMPLETE, shuffled, takeThirtyDays } from './support/thirty-days.js';

const COMMAND = resolve(import.meta.dirname, '../../connectors/cli/main.ts');
const RUN_DATE = '2026-11-23';
const PARQUET = { sink: createSink('parquet') };
const EVERY_STREAM = streams.map(({ name }) => name);

const started = await startPostgres();
if ('missing' in started) process.stdout.write(`\nnot run: ${started.missing}\n`);
const server = started as PostgresServer;

describe.skipIf('missing' in started)('load postgres', () => {
  let awkward: FixtureApi;
  let api: FixtureApi;
  let client: pg.Client;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;

  beforeAll(async () => {
    awkward = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
    api = await startFixtureApi({ sizes: [20, 0, 5] });
    folder = await temporaryFolder();
    root = join(folder.path, 'root');
    await take(api, root, PARQUET);
    client = await connected();
  });

  afterAll(async () => {
    await client?.end();
    await awkward?.close();
    await api?.close();
    await folder?.[Symbol.asyncDispose]();
    await server.stop();
  });

  const connected = async (): Promise<pg.Client> => {
    const { host, port, user, password } = server;
    const made = new pg.Client({ host, port, user, password, database: 'postgres' });
    await made.connect();
    return made;
  };

  const load = (schema: string, ...flags: string[]) =>
    claudeCompliance(
      ['load', 'postgres', '--schema', schema, '--state', join(folder.path, 'state'), ...flags],
      { ...server.environment, ...environmentOf(awkward) },
    );

  /** A load in a process of its own, which can be killed. */
  const spawnLoad = (schema: string, ...flags: string[]) =>
    spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        COMMAND,
        'load',
        'postgres',
        '--schema',
        schema,
        '--state',
        join(folder.path, 'state'),
        ...flags,
      ],
      { env: { ...process.env, ...server.environment }, stdio: ['ignore', 'ignore', 'pipe'] },
    );

  const count = async (schema: string, from = 'users_snapshot'): Promise<number> =>
    Number((await client.query(`SELECT count(*) AS n FROM "${schema}".${from}`)).rows[0].n);

  const textRows = async (
    schema: string,
    { columns, name }: SnapshotTable,
    from = name,
  ): Promise<TextRow[]> => {
    const texts = columns.map(({ name: column, type }) =>
      type === 'timestamp'
        ? `trunc(extract(epoch from ${column}) * 1000000)::text AS ${column}`
        : `${column}::text AS ${column}`,
    );
    return (await client.query(`SELECT ${texts.join(', ')} FROM "${schema}".${from}`)).rows;
  };

  /** What is expected there: U+0000 is the one thing PostgreSQL cannot hold. */
  const withoutNul = (rows: readonly TextRow[]): TextRow[] =>
    JSON.parse(JSON.stringify(rows).replaceAll('\\\\u0000', '\\\\ufffd').replaceAll('\\u0000', '\\ufffd'));

  it.each(['from the API', 'parquet', 'ndjson', 'csv', ...COMBINED])(
    'lands what the API serves, value for value: %s',
    async (source) => {
      const schema = `all of ${source}`.replaceAll(/\W/g, '_');
      const from = join(folder.path, schema);
      const layout = COMBINED.find((layout) => layout === source);
      const options = { streams: EVERY_STREAM };
      if (layout) await takeCombined(awkward, from, { layout, ...PARQUET, ...options });
      else if (source !== 'from the API') await take(awkward, from, { sink: createSink(source), ...options });
      const asked = ['--run-date', RUN_DATE, ...EVERY_STREAM.flatMap((name) => ['--streams', name])];
      const flags = source === 'from the API' ? [...UNHURRIED, ...asked] : ['--from', from];
      const { exitCode, stdout, stderr } = await load(schema, ...flags);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      for (const table of snapshotTables) {
        const asRead = (rows: TextRow[]) =>
          sorted(source === 'ndjson' ? withJsonOfDuckdb(rows, table) : rows);
        const served = asRead(withoutNul(servedRows(awkward, table, RUN_DATE)));
        expect(served.length).toBeGreaterThan(0);
        expect(asRead(await textRows(schema, table))).toEqual(served);
        expect(asRead(await textRows(schema, table, table.currentView))).toEqual(served);
      }
      const held = snapshotTables
        .flatMap((table) => servedRows(awkward, table, RUN_DATE))
        .flatMap((row) => Object.values(row))
        .filter((value) => value?.includes('\u0000') || value?.replaceAll('\\\\', '').includes('\\u0000'));
      expect(held.length).toBeGreaterThan(0);
      expect(stdout).toContain(`${held.length} values held U+0000`);
    },
  );

  it('refuses a day that was pruned', async () => {
    const from = join(folder.path, 'pruned');
    for (const runDate of ['2026-11-20', RUN_DATE]) await take(api, from, { ...PARQUET, runDate });
    await pruneBefore(from, RUN_DATE);
    expect(await load('pruned', '--from', from, '--run-date', '2026-11-20')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('snapshot_pruned'),
    });
    expect(await load('pruned', '--from', from)).toMatchObject({ exitCode: 0 });
    expect(await count('pruned')).toBe(25);
  });

  it('describes its tables and columns, and keeps the key', async () => {
    await load('described', '--from', root);
    const { rows } = await client.query(
      `SELECT obj_description('described.users_snapshot'::regclass) AS "table", col_description('described.users_snapshot_20261123'::regclass, 2) AS "column"`,
    );
    expect(rows).toEqual([
      { table: expect.stringContaining('one row a membership'), column: expect.stringContaining('user_') },
    ]);
    await expect(
      client.query('INSERT INTO described.users_snapshot SELECT * FROM described.users_snapshot LIMIT 1'),
    ).rejects.toMatchObject({ code: '23505' });
  });

  it('keeps a key that holds nulls: two rows that are equal, nulls included, are refused', async () => {
    const from = join(folder.path, 'permissions');
    await take(api, from, { ...PARQUET, streams: EVERY_STREAM });
    await load('permissions', '--from', from);
    const inserted = (resourceType: string) =>
      client.query(
        `INSERT INTO permissions.role_permissions_snapshot (organization_uuid, role_id, action, resource_type, resource_id, snapshot_date)
        SELECT organization_uuid, role_id, action, ${resourceType}, resource_id, snapshot_date FROM permissions.role_permissions_snapshot
        WHERE resource_type IS NULL AND resource_id IS NULL LIMIT 1`,
      );
    await expect(inserted('resource_type')).rejects.toMatchObject({ code: '23505' });
    expect(await inserted("''")).toMatchObject({ rowCount: 1 });
  });

  it('gives the same when it is run again, with one partition for each date and stream, and nothing else', async () => {
    for (let times = 0; times < 3; times++)
      expect(await load('again', '--from', root)).toMatchObject({ exitCode: 0 });
    expect(await count('again')).toBe(25);
    expect(await count('again', 'snapshots')).toBe(2);
    const { rows } = await client.query(
      `SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'again' AND relkind = 'r' ORDER BY 1`,
    );
    expect(rows.map(({ relname }) => relname)).toEqual([
      'organizations_snapshot_20261123',
      'read_lists',
      'snapshots',
      'unread_lists',
      'users_snapshot_20261123',
    ]);
  });

  it('keeps the old rows when it is killed before its end, and readers read them meanwhile', async () => {
    await load('killed', '--from', root);
    const bigger = await startFixtureApi({ sizes: [50, 1] });
    const biggerRoot = join(folder.path, 'bigger');
    await take(bigger, biggerRoot, PARQUET);
    await bigger.close();

    const reader = await connected();
    await reader.query('BEGIN; SELECT * FROM killed.users_snapshot'); // the load cannot attach its partition
    const loading = spawnLoad('killed', '--from', biggerRoot);
    await untilWaiting(client);
    expect(await load('killed', '--from', root)).toMatchObject({
      exitCode: 75,
      stderr: expect.stringContaining('locked'),
    });
    loading.kill('SIGKILL');
    await once(loading, 'exit');
    await reader.query('COMMIT');
    await reader.end();
    await untilGone(client);
    expect(await count('killed')).toBe(25);
    expect(await count('killed', 'users_current')).toBe(25);
    expect(await load('killed', '--from', biggerRoot)).toMatchObject({ exitCode: 0 });
    expect(await count('killed')).toBe(51);
  });

  it('holds no row twice when two load at once: each succeeds or says to try later', async () => {
    const both = [spawnLoad('two', '--from', root), spawnLoad('two', '--from', root)];
    const codes = await Promise.all(both.map(async (child) => (await once(child, 'exit'))[0] as number));
    expect(codes).toContain(0);
    expect(codes.every((code) => code === 0 || code === 75)).toBe(true);
    expect(await count('two')).toBe(25);
    expect(await count('two', 'snapshots')).toBe(2);
  });

  it('gives the same for thirty days in order and out of order, one of them incomplete', async () => {
    const thirty = join(folder.path, 'thirty');
    const rows = await takeThirtyDays(thirty);
    for (const [schema, days] of Object.entries({ ordered: DAYS, shuffled: shuffled(DAYS) })) {
      for (const runDate of days) {
        const { exitCode } = await load(
          schema,
          '--from',
          thirty,
          '--run-date',
          runDate,
          '--allow-incomplete',
        );
        expect(exitCode).toBe(runDate === DAYS.at(-1) ? 1 : 0);
      }
      const landed = await client.query(
        `SELECT snapshot_date::text AS day, count(*)::int AS n FROM "${schema}".users_snapshot GROUP BY 1`,
      );
      expect(Object.fromEntries(landed.rows.map(({ day, n }) => [day, n]))).toEqual(rows);
      const current = await client.query(
        `SELECT DISTINCT snapshot_date::text AS day FROM "${schema}".users_current`,
      );
      expect(current.rows).toEqual([{ day: NEWEST_COMPLETE }]);
    }
  });

  it('shows the roles of the newest date that holds them, and replaces them with the next', async () => {
    const two = join(folder.path, 'roles');
    await take(api, two, { ...PARQUET, runDate: '2026-11-22', streams: EVERY_STREAM });
    await take(api, two, PARQUET);
    for (const runDate of ['2026-11-22', RUN_DATE]) await load('roles', '--from', two, '--run-date', runDate);
    const days = async (from: string) =>
      (await client.query(`SELECT DISTINCT snapshot_date::text AS day FROM roles.${from}`)).rows;
    expect(await days('users_current')).toEqual([{ day: RUN_DATE }]);
    expect(await days('roles_current')).toEqual([{ day: '2026-11-22' }]);
    const wider = join(folder.path, 'wider');
    await take(api, wider, { ...PARQUET, streams: EVERY_STREAM });
    for (const times of [1, 2]) {
      expect(await load('roles', '--from', wider)).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await days('roles_current')).toEqual([{ day: RUN_DATE }]);
      expect(await count('roles', 'roles_current'), `load ${times}`).toBe(
        servedRows(api, tableOf('roles'), RUN_DATE).length,
      );
    }
  });

  it('makes the tables of a stream that an earlier version did not know', async () => {
    const wide = join(folder.path, 'new stream');
    await take(api, wide, { ...PARQUET, streams: EVERY_STREAM });
    await load('grown', '--from', root);
    await client.query('DROP TABLE grown.organizations_snapshot CASCADE');
    expect(await load('grown', '--from', wide)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await count('grown', 'organizations_current')).toBe(3);
  });

  it('loads every day of a root, and the second time only what was changed since', async () => {
    const several = join(folder.path, 'several days');
    for (const runDate of ['2026-11-20', '2026-11-21', '2026-11-22'])
      await take(api, several, { ...PARQUET, runDate });
    const all = ['--from', several, '--all', '--progress', 'none'];
    const first = await load('many', ...all);
    expect(first.stdout).toMatch(/^3 snapshots loaded, 0 unchanged\n {2}in /);
    const loadedAt = async () => {
      const { rows } = await client.query(
        'SELECT run_date::text AS day, max(loaded_at)::text AS at FROM many.snapshots GROUP BY 1 ORDER BY 1',
      );
      return rows as { day: string; at: string }[];
    };
    const before = await loadedAt();
    expect(before.map(({ day }) => day)).toEqual(['2026-11-20', '2026-11-21', '2026-11-22']);
    await compact({ storage: new LocalStorage(several), runDate: '2026-11-21' });
    const second = await load('many', ...all);
    expect(second).toMatchObject({ exitCode: 0, stderr: '' });
    expect(second.stdout).toMatch(/^1 snapshot loaded, 2 unchanged\n/);
    const after = await loadedAt();
    expect(after.filter(({ at }, i) => at !== before[i]?.at).map(({ day }) => day)).toEqual(['2026-11-21']);
  });

  it("answers the README's five questions as the API served it", async () => {
    const asked = await startFixtureApi({ organizations: 12, users: 600 });
    const two = join(folder.path, 'auditor');
    await take(asked, two, { runDate: EARLIER });
    const earlier = memberships(asked);
    asked.insertUser(String(asked.organizations()[0]?.uuid), 0);
    await take(asked, two, { runDate: LATER });
    for (const runDate of [EARLIER, LATER]) await load('auditor', '--from', two, '--run-date', runDate);
    const answers = auditorAnswers(asked, earlier);
    await asked.close();
    await client.query('SET search_path TO auditor');
    for (const [index, sql] of (await auditorQueries()).entries()) {
      expect(inOrder((await client.query(sql)).rows)).toEqual(inOrder(answers[index] ?? []));
    }
    await client.query('RESET search_path');
  });

  it('refuses to replace more by less', async () => {
    await load('less', '--from', root);
    const part = join(folder.path, 'part');
    await take(api, part, { ...PARQUET, org: [String(api.organizations()[0]?.uuid)] });
    expect(await load('less', '--from', part, '--run-date', RUN_DATE)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('would_replace_wider'),
    });
    expect(await count('less')).toBe(25);
  });

  it('speaks TLS, and trusts only an authority that was named to it', async () => {
    const flags = [
      'load',
      'postgres',
      '--from',
      root,
      '--schema',
      'tls',
      '--state',
      join(folder.path, 'state'),
    ];
    const strict = { ...server.environment, PGSSLMODE: 'verify-full' };
    const refused = await claudeCompliance(flags, strict);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('PGSSLROOTCERT') });
    const trusted = { ...strict, PGSSLROOTCERT: server.rootCert };
    expect(await claudeCompliance(flags, trusted)).toMatchObject({ exitCode: 0 });
    expect(await claudeCompliance(flags, { ...trusted, PGHOST: '127.0.0.1' })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('certificate'),
    });
    expect(await claudeCompliance(flags, { ...server.environment, PGSSLMODE: 'require' })).toMatchObject({
      exitCode: 0,
    });
  });

  it('says what is wrong with the access, without the password, before the API is requested', async () => {
    const asked = awkward.requests.length;
    const wrong = { ...server.environment, ...environmentOf(awkward), PGPASSWORD: 'not the secret' };
    const { exitCode, stderr } = await claudeCompliance(['load', 'postgres', ...UNHURRIED], wrong);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('PGPASSWORD');
    expect(stderr).not.toContain('not the secret');
    expect(awkward.requests.length).toBe(asked);
  });

  it('refuses a database whose encoding cannot hold every name', async () => {
    await client.query(
      `CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    );
    const ended = await claudeCompliance(
      ['load', 'postgres', '--from', root, '--state', join(folder.path, 'state')],
      {
        ...server.environment,
        PGDATABASE: 'latin',
      },
    );
    expect(ended).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('LATIN1') });
  });
});

/** Until some statement waits for a lock. */
const untilWaiting = (client: pg.Client): Promise<void> =>
  until(
    client,
    `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'claude-compliance-connector'`,
  );

/** Until no load is connected. */
const untilGone = (client: pg.Client): Promise<void> =>
  until(
    client,
    `SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'claude-compliance-connector')`,
  );

async function until(client: pg.Client, sql: string): Promise<void> {
  while ((await client.query(sql)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 50));
}
