import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  createPseudonyms,
  createSink,
  directoryHistory,
  type HistoryRow,
  LocalStorage,
  type Subject,
} from '../../src/index.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take as takeDay } from '../diff/support/take.js';
import { RUN_DATE, take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { claudeCompliance } from '../warehouse/support/command.js';
import { query } from '../warehouse/support/duckdb-file.js';
import { takeOlder } from '../warehouse/support/older.js';
import { ALPHA } from './support/thirty-days.js';

describe('columns that cannot be compared', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;
  let made = 0;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  beforeEach(() => {
    made += 1;
    root = join(folder.path, String(made));
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  async function historyOf(subject: Subject): Promise<HistoryRow[]> {
    const scratch = join(folder.path, 'scratch');
    const { rows } = await directoryHistory({ storage: new LocalStorage(root), subject, scratch });
    const all: HistoryRow[] = [];
    for await (const batch of rows()) all.push(...batch);
    return all.filter(({ stream }) => stream === 'users');
  }
  /** The same intervals in DuckDB. */
  async function loaded(dates: readonly string[]): Promise<Record<string, unknown>[]> {
    const database = join(folder.path, `${made}.duckdb`);
    const flags = ['--database', database, '--state', join(folder.path, 'state'), '--from', root];
    for (const date of dates)
      expect(await claudeCompliance(['load', 'duckdb', ...flags, '--run-date', date])).toMatchObject({
        exitCode: 0,
        stderr: '',
      });
    return await query(
      database,
      'SELECT id, valid_from::VARCHAR AS valid_from, valid_to::VARCHAR AS valid_to, began, ended, changed::VARCHAR AS changed FROM users_history ORDER BY id, valid_from',
    );
  }
  const asLoaded = (rows: readonly HistoryRow[]) =>
    rows
      .map(({ key, valid_from, valid_to, began, ended, changed }) => ({
        id: key.id,
        valid_from,
        valid_to,
        began,
        ended,
        changed: changed && JSON.stringify(changed),
      }))
      .sort((a, b) => (`${a.id} ${a.valid_from}` < `${b.id} ${b.valid_from}` ? -1 : 1));

  it('because an older version does not have them make no change', async () => {
    await using api = await startFixtureApi({ sizes: [6], awkward: true });
    await takeOlder(api, root, 'parquet');
    const dates = ['2026-11-22', RUN_DATE, '2026-11-24'];
    for (const runDate of [dates[0], dates[2]])
      await take(api, root, { runDate: runDate as string, sink: createSink('parquet') });
    const rows = await historyOf({ organization: uuidOf(api, 0) });
    const throughout = { valid_from: dates[0], valid_to: null, began: 'first_read', changed: null };
    expect(rows).toHaveLength(6);
    for (const row of rows) expect(row).toMatchObject(throughout);
    expect(await loaded(dates)).toEqual(asLoaded(rows));
  });

  it('because of pseudonyms make no change, and the others still do', async () => {
    await using api = await startMadeUpApi();
    const day = (role: string, email: string, name = 'Ada') => ({
      lists: {
        organizations: [{ uuid: ALPHA }],
        [`users/${ALPHA}`]: [{ id: 'ada', full_name: name, email, organization_role: role }],
      },
      streams: ['organizations', 'users'],
      failing: [],
    });
    const pseudonyms = (letter: string) =>
      createPseudonyms({ key: Buffer.from(letter.repeat(32)), columns: ['email'] });
    const [a, b] = [pseudonyms('a'), pseudonyms('b')];
    const days = [
      { day: day('user', 'ada@example.com') },
      { day: day('user', 'new@example.com'), pseudonyms: a },
      { day: day('admin', 'new@example.com'), pseudonyms: a },
      { day: day('admin', 'newer@example.com'), pseudonyms: a },
      { day: day('admin', 'newest@example.com', 'Ada L'), pseudonyms: b },
    ].map((made, i) => ({ ...made, date: `2026-11-${20 + i}` }));
    for (const { date, day, pseudonyms } of days)
      await takeDay(api, new LocalStorage(root), day, {
        runDate: date,
        sink: createSink('parquet'),
        ...(pseudonyms && { pseudonyms }),
      });
    const rows = await historyOf({ user: 'ada' });
    expect(rows.map(({ valid_from, valid_to, changed }) => [valid_from, valid_to, changed])).toEqual([
      ['2026-11-20', '2026-11-22', null],
      ['2026-11-22', '2026-11-23', ['organization_role']],
      ['2026-11-23', '2026-11-24', ['email']],
      ['2026-11-24', null, ['full_name']],
    ]);
    expect(await loaded(days.map(({ date }) => date))).toEqual(asLoaded(rows));
  });
});
