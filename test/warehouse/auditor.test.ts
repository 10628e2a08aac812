import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { auditorAnswers, auditorQueries, EARLIER, inOrder, LATER, memberships } from './support/auditor.js';
import { claudeCompliance } from './support/command.js';
import { query } from './support/duckdb-file.js';

const queries = await auditorQueries();

describe('the questions in the README, asked of DuckDB', () => {
  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let database: string;
  let answers: Record<string, unknown>[][];

  beforeAll(async () => {
    api = await startFixtureApi({ organizations: 12, users: 600 });
    folder = await temporaryFolder();
    database = join(folder.path, 'compliance.duckdb');
    const root = join(folder.path, 'root');
    await take(api, root, { runDate: EARLIER });
    const earlier = memberships(api);
    api.insertUser(String(api.organizations()[0]?.uuid), 0);
    api.insertUser(String(api.organizations()[3]?.uuid));
    await take(api, root, { runDate: LATER });
    for (const runDate of [EARLIER, LATER]) {
      const flags = ['--database', database, '--from', root, '--run-date', runDate];
      await claudeCompliance(['load', 'duckdb', '--state', join(folder.path, 'state'), ...flags]);
    }
    answers = auditorAnswers(api, earlier);
  });

  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  it.each(queries.map((sql, index) => [index + 1, sql] as const))(
    '%i is answered as the API served it',
    async (number, sql) => {
      const expected = answers[number - 1] ?? [];
      expect(expected.length).toBeGreaterThan(0);
      expect(inOrder(await query(database, sql))).toEqual(inOrder(expected));
    },
  );

  it('are five', () => expect(queries).toHaveLength(5));
});
