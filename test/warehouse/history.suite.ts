import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSink, LocalStorage, streams } from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpHistory } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { type DatedDay, referenceHistory } from '../history/support/reference.js';
import { expectedTexts, historyQuery, viewTexts } from '../history/support/view-rows.js';
import { temporaryFolder } from '../run/support/tree.js';
import { claudeCompliance } from './support/command.js';
import { type PostgresServer, startPostgres } from './support/postgres-server.js';

const started = await startPostgres();
if ('missing' in started) process.stdout.write(`\nnot run: ${started.missing}\n`);
const server = started as PostgresServer;

const DATES = ['2026-11-18', '2026-11-20', '2026-11-21', '2026-11-22', '2026-11-24'];

const micros = (column: string): string =>
  `CAST(CAST(extract(epoch FROM ${column}) * 1000000 AS bigint) AS text)`;

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
          const { rows } = await client.query(historyQuery(stream, schema, micros));
          expect(viewTexts(stream, rows)).toEqual(expectedTexts(stream, expected));
        }
      }),
      { numRuns: 10 },
    );
  });
});
