import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSink, LocalStorage, streams } from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpHistory } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { pairDays } from '../history/support/pairs.js';
import { type DatedDay, referenceHistory } from '../history/support/reference.js';
import { asStory, owners, shuffledDays, storyOfUsers, thirtyDays } from '../history/support/thirty-days.js';
import { expectedTexts, historyQuery, postgresMicros, viewTexts } from '../history/support/view-rows.js';
import { temporaryFolder } from '../run/support/tree.js';
import { historyQueries } from './support/auditor.js';
import { claudeCompliance } from './support/command.js';
import { type PostgresServer, startPostgres } from './support/postgres-server.js';

const started = await startPostgres();
if ('missing' in started) process.stdout.write(`\nnot run: ${started.missing}\n`);
const server = started as PostgresServer;

const DATES = ['2026-11-18', '2026-11-20', '2026-11-21', '2026-11-22', '2026-11-24'];

type PlanNode = Record<string, unknown>;

/** Every node of a plan, each without those below it. */
function nodesIn(plan: unknown): PlanNode[] {
  if (Array.isArray(plan)) return plan.flatMap(nodesIn);
  if (typeof plan !== 'object' || plan === null) return [];
  const { Plan, Plans, ...own } = plan as PlanNode;
  return [own, ...nodesIn(Plan), ...nodesIn(Plans)];
}

describe.skipIf('missing' in started)('the histories in PostgreSQL', () => {
  let client: pg.Client;
  let api: MadeUpApi;

  beforeAll(async () => {
    api = await startMadeUpApi();
    const { host, port, user, password } = server;
    client = new pg.Client({ host, port, user, password, database: 'postgres' });
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await api?.[Symbol.asyncDispose]();
    await server.stop();
  });

  const load = (schema: string, root: string, runDate: string, state: string) =>
    claudeCompliance(
      [
        ...['load', 'postgres', '--schema', schema, '--state', state],
        ...['--from', root, '--run-date', runDate, '--allow-incomplete'],
      ],
      server.environment,
    );

  it('are what a slow and obvious one says of any days, in whatever order they are loaded', async () => {
    const how = fc.record({
      formats: fc.array(fc.constantFrom('parquet', 'ndjson', 'csv'), {
        minLength: DATES.length,
        maxLength: DATES.length,
      }),
      order: fc.shuffledSubarray([...DATES.keys()], { minLength: DATES.length - 1 }),
    });
    let schemas = 0;
    await fc.assert(
      fc.asyncProperty(madeUpHistory(DATES.length), how, async (history, { formats, order }) => {
        await using folder = await temporaryFolder();
        schemas += 1;
        const schema = `history_${schemas}`;
        for (const i of [...order, order[0] as number]) {
          const [runDate = '', format = ''] = [DATES[i], formats[i]];
          const root = join(folder.path, String(i));
          const day = history[i] as DatedDay['day'];
          await take(api, new LocalStorage(root), day, { runDate, sink: createSink(format) });
          expect((await load(schema, root, runDate, join(folder.path, 'state'))).stderr).toBe('');
        }
        const days = [...order]
          .sort()
          .map((i) => ({ date: DATES[i] as string, day: history[i] as DatedDay['day'] }));
        const expected = referenceHistory(days);
        for (const stream of streams) {
          const { rows } = await client.query(historyQuery(stream, schema, postgresMicros));
          expect(viewTexts(stream, rows)).toEqual(expectedTexts(stream, expected));
        }
      }),
      { numRuns: 10 },
    );
  });

  it('are those of a month, without a day and with a week that could not be read, loaded out of order and one day twice', async () => {
    await using folder = await temporaryFolder();
    const [root, state] = [join(folder.path, 'root'), join(folder.path, 'state')];
    for (const { date, day } of thirtyDays)
      await take(api, new LocalStorage(root), day, { runDate: date, sink: createSink('parquet') });
    for (const { date } of shuffledDays) expect((await load('thirty', root, date, state)).stderr).toBe('');
    const { rows: found } = await client.query(
      'SELECT organization_uuid, id, valid_from::text, valid_to::text, state, began, ended, changed, organization_role FROM thirty.users_history',
    );
    expect(asStory(found)).toEqual(storyOfUsers);
    const [question = ''] = await historyQueries();
    await client.query('SET search_path TO thirty');
    const { rows: answer } = await client.query(
      `SELECT organization_uuid, id, state, organization_role, valid_from::text, valid_to::text FROM (${question}) q`,
    );
    await client.query('RESET search_path');
    expect(answer).toMatchObject(owners);
    const expected = referenceHistory(thirtyDays);
    for (const stream of streams) {
      const { rows } = await client.query(historyQuery(stream, 'thirty', postgresMicros));
      expect(viewTexts(stream, rows)).toEqual(expectedTexts(stream, expected));
    }
  });

  it.each([
    ['parquet', 'parquet'],
    ['parquet', 'ndjson'],
  ])('compare every value with every other as the library does, from %s to %s', async (...formats) => {
    await using folder = await temporaryFolder();
    const schema = `pairs_${formats.join('_')}`;
    for (const [i, { date, day }] of pairDays.entries()) {
      const root = join(folder.path, date);
      const sink = createSink(formats[i] as string);
      await take(api, new LocalStorage(root), day, { runDate: date, sink });
      expect((await load(schema, root, date, join(folder.path, 'state'))).stderr).toBe('');
    }
    const expected = referenceHistory(pairDays);
    for (const stream of streams) {
      const { rows } = await client.query(historyQuery(stream, schema, postgresMicros));
      expect(viewTexts(stream, rows)).toEqual(expectedTexts(stream, expected));
    }
  });

  it('of one person are computed from the rows of that person alone', async () => {
    const { rows } = await client.query(
      `EXPLAIN (FORMAT JSON) SELECT * FROM thirty.users_history WHERE id = 'user_01ada'`,
    );
    const plan = JSON.stringify(rows[0]['QUERY PLAN']);
    const windows = plan.split('"Node Type":"WindowAgg"').length - 1;
    expect(windows).toBeGreaterThan(1);
    // Every scan of rows, but the one that finds the lists, is of that person.
    const scans = nodesIn(rows[0]['QUERY PLAN']).filter((node) =>
      String(node['Relation Name'] ?? '').startsWith('users_snapshot_'),
    );
    const isOfPerson = (node: object): boolean => JSON.stringify(node).includes('user_01ada');
    expect(scans.filter(isOfPerson).length).toBe(2 * thirtyDays.length);
    expect(scans.filter((node) => !isOfPerson(node)).length).toBe(thirtyDays.length);
  });
});
