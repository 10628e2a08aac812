import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable } from '../../connectors/warehouse/ddl.js';
import { tables } from '../../connectors/warehouse/model.js';
import { postgresDialect } from '../../connectors/warehouse/postgres/dialect.js';
import { createViews } from '../../connectors/warehouse/views.js';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, effectiveAccessSchema, streams } from '../../src/index.js';
import { referenceRows, rowTexts } from '../access/support/reference.js';
import { RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';
import { accessIn, startPartlyUnread, takePartlyUnread } from './support/access.js';
import { accessAnswer, accessQueries, inOrder } from './support/auditor.js';
import { claudeCompliance } from './support/command.js';
import { directoriesByDay, ownRowsOf, tablesIn } from './support/plain-snapshots.js';
import { type PostgresServer, startPostgres } from './support/postgres-server.js';

const started = await startPostgres();
if ('missing' in started) process.stdout.write(`\nnot run: ${started.missing}\n`);
const server = started as PostgresServer;

const COLUMNS = effectiveAccessSchema.fields.map(({ name, type }) =>
  type === 'date' ? `${name}::text AS ${name}` : name,
);

describe.skipIf('missing' in started)('the view effective_access in PostgreSQL', () => {
  let client: pg.Client;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const { host, port, user, password } = server;
    client = new pg.Client({ host, port, user, password, database: 'postgres' });
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await folder?.[Symbol.asyncDispose]();
    await server.stop();
  });

  const access = async (view: string): Promise<object[]> =>
    (await client.query(`SELECT ${COLUMNS.join(', ')} FROM ${view}`)).rows;
  const load = (schema: string, root: string, runDate = RUN_DATE) =>
    claudeCompliance(
      [
        ...['load', 'postgres', '--schema', schema, '--state', join(folder.path, 'state')],
        ...['--from', root, '--run-date', runDate, '--allow-incomplete'],
      ],
      server.environment,
    );
  /** U+0000 is the one thing that PostgreSQL cannot hold. */
  const withoutNul = (text: string): string => text.replaceAll('\\u0000', '\ufffd');

  it('has the rows of the rules, of every day, whatever was not read', async () => {
    const into = { dialect: postgresDialect, schema: 'random' };
    await client.query('CREATE SCHEMA random');
    for (const table of tables) await client.query(createTable({ ...into, table }));
    for (const statement of createViews(postgresDialect, 'random')) await client.query(statement);
    await fc.assert(
      fc.asyncProperty(directoriesByDay, async (days) => {
        await client.query(`TRUNCATE ${tables.map(({ name }) => `random.${name}`).join(', ')}`);
        for (const day of days) {
          for (const statement of ownRowsOf(day, into)) await client.query(statement);
          for (const { stream, rows } of tablesIn(day)) {
            const columns = stream.schema.fields.map(
              ({ name, type }) => `${name} ${postgresDialect.types[type]}`,
            );
            await client.query(
              `INSERT INTO random.${stream.name}_snapshot SELECT * FROM json_to_recordset($1) AS r(${columns.join(', ')})`,
              [JSON.stringify(rows)],
            );
          }
        }
        expect(rowTexts(await access('random.effective_access'))).toEqual(
          rowTexts(days.flatMap(referenceRows)),
        );
      }),
      { numRuns: 30 },
    );
  });

  it.each(['per-parent', 'per-date'] as const)(
    'has what the library derives from an awkward directory: %s',
    async (layout) => {
      await using api = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
      const root = join(folder.path, layout);
      await take(api, root, {
        sink: createSink('parquet'),
        streams: streams.map(({ name }) => name),
        layout: layout === 'per-date' ? 'per-date' : 'per-org',
      });
      const schema = layout.replace('-', '_');
      expect(await load(schema, root)).toMatchObject({ exitCode: 0, stderr: '' });
      const expected = rowTexts(await accessIn(root, RUN_DATE))
        .map(withoutNul)
        .sort();
      for (const view of ['effective_access', 'effective_access_current'])
        expect(rowTexts(await access(`${schema}.${view}`))).toEqual(expected);
    },
  );

  it('has what the library derives where lists failed and settings are off, and answers the README by it', async () => {
    await using api = await startPartlyUnread();
    const root = join(folder.path, 'partly unread');
    await takePartlyUnread(api, root);
    expect(await load('unread', root)).toMatchObject({ exitCode: 1, stderr: '' });
    const queries = await accessQueries();
    await client.query('SET search_path TO unread');
    expect(inOrder((await client.query(String(queries[0]))).rows)).toEqual(
      inOrder(accessAnswer(await accessIn(root, RUN_DATE))),
    );
    await client.query('RESET search_path');
    const expected = rowTexts(await accessIn(root, RUN_DATE));
    for (const view of ['effective_access', 'effective_access_current'])
      expect(rowTexts(await access(`unread.${view}`))).toEqual(expected);
  });

  it('is, for the current day, of the day that the newest load made it, and is left alone while that stays', async () => {
    await using api = await startFixtureApi({ sizes: [5, 4] });
    const root = join(folder.path, 'days');
    const everyStream = streams.map(({ name }) => name);
    const [first, second, third, last] = ['19', '20', '21', '22'].map((day) => `2026-11-${day}`);
    await take(api, root, { runDate: first, streams: everyStream });
    await take(api, root, { runDate: second });
    await take(api, root, { runDate: third, streams: everyStream });
    await take(api, root, { runDate: last });
    const loadDay = (day: string | undefined) => load('days', root, String(day));
    const currentDay = async () =>
      (await client.query('SELECT DISTINCT snapshot_date::text AS day FROM days.effective_access_current'))
        .rows;
    await loadDay(second);
    expect(await currentDay()).toEqual([{ day: second }]);
    await loadDay(third);
    expect(await currentDay()).toEqual([{ day: third }]);
    await client.query('BEGIN; SELECT count(*) FROM days.effective_access_current');
    expect(await loadDay(first)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await loadDay(last)).toMatchObject({ exitCode: 0, stderr: '' });
    await client.query('COMMIT');
    expect(await currentDay()).toEqual([{ day: third }]);
    expect(rowTexts(await access('days.effective_access_current'))).toEqual(
      rowTexts(await accessIn(root, String(third))),
    );
  });
});
