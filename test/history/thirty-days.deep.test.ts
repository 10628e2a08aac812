import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChangeRow,
  createSink,
  diffSnapshots,
  directoryHistory,
  type HistoryRow,
  LocalStorage,
  reportData,
  type Subject,
  streams,
} from '../../src/index.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { temporaryFolder } from '../run/support/tree.js';
import { historyQueries } from '../warehouse/support/auditor.js';
import { claudeCompliance } from '../warehouse/support/command.js';
import { query } from '../warehouse/support/duckdb-file.js';
import { eventsOfChanges, eventsOfHistory } from './support/events.js';
import { referenceHistory } from './support/reference.js';
import {
  ALPHA,
  asStory,
  BETA,
  owners,
  shuffledDays,
  storyOfUsers,
  thirtyDays,
} from './support/thirty-days.js';
import { duckdbMicros, expectedTexts, historyQuery, viewTexts } from './support/view-rows.js';

describe('a month without one day, and a week in which an organisation could not be read', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    root = join(folder.path, 'root');
    await using api = await startMadeUpApi();
    const sink = createSink('parquet');
    for (const { date, day } of thirtyDays)
      await take(api, new LocalStorage(root), day, { runDate: date, sink });
  }, 120_000);
  afterAll(() => folder[Symbol.asyncDispose]());

  const scratch = () => join(folder.path, 'scratch');
  async function historyOf(subject: Subject): Promise<HistoryRow[]> {
    const { rows } = await directoryHistory({ storage: new LocalStorage(root), subject, scratch: scratch() });
    const all: HistoryRow[] = [];
    for await (const batch of rows()) all.push(...batch);
    return all;
  }
  const ofUsers = (rows: readonly HistoryRow[]) =>
    rows
      .filter(({ stream }) => stream === 'users')
      .map(({ key, record, ...row }) => ({
        ...row,
        ...(key as { organization_uuid: string; id: string }),
        organization_role: record?.organization_role,
      }));

  it('is in the files what it was', async () => {
    const rows = [
      ...(await historyOf({ organization: ALPHA })),
      ...(await historyOf({ organization: BETA })),
    ];
    expect(asStory(ofUsers(rows))).toEqual(storyOfUsers);
    const gil = ofUsers(await historyOf({ user: 'user_01gil' }));
    expect(asStory(gil)).toEqual(
      Object.fromEntries(Object.entries(storyOfUsers).filter(([who]) => who.endsWith(' gil'))),
    );
    expect((await historyOf({ user: 'user_01nobody' })).length).toBe(0);
  });

  it('says of every key what it was, also when it named the person on some days only', async () => {
    const keys = (rows: readonly HistoryRow[]) =>
      rows.filter(({ stream }) => stream === 'api_keys').map(({ valid_from, began }) => [valid_from, began]);
    const both = [
      ['2026-11-01', 'first_read'],
      ['2026-11-14', 'changed'],
    ];
    expect(keys(await historyOf({ user: 'user_01ada' }))).toEqual(both);
    expect(keys(await historyOf({ user: 'user_01hal' }))).toEqual(both);
    expect(keys(await historyOf({ user: 'user_01cem' }))).toEqual([]);
  });

  it('is what the comparisons of each day with the next say, one after the other', async () => {
    const changes: ChangeRow[] = [];
    for (const [i, { date: to }] of thirtyDays.entries()) {
      const from = thirtyDays[i - 1]?.date;
      if (from === undefined) continue;
      const found = await diffSnapshots({ storage: new LocalStorage(root), from, to, scratch: scratch() });
      for await (const batch of found.changes()) changes.push(...batch);
    }
    const people = [...new Set(Object.keys(storyOfUsers).map((who) => `user_01${who.split(' ')[1]}`))];
    const histories = [
      ...(await historyOf({ organization: ALPHA })),
      ...(await historyOf({ organization: BETA })),
      ...(await Promise.all(people.map((user) => historyOf({ user })))).flat(),
    ];
    const distinct = new Set(histories.map((row) => JSON.stringify(row)));
    const events = eventsOfHistory([...distinct].map((text) => JSON.parse(text) as HistoryRow));
    expect(events).toEqual(eventsOfChanges(changes));
    expect(events.length).toBeGreaterThan(10);
  });

  it('is what a report counts of it', async () => {
    const storage = new LocalStorage(root);
    const report = await reportData({ storage, scratch: scratch(), runDate: '2026-11-30' });
    const rows = ofUsers([
      ...(await historyOf({ organization: ALPHA })),
      ...(await historyOf({ organization: BETA })),
    ]);
    const on = (date: string, state: HistoryRow['state']) =>
      rows
        .filter((row) => row.state === state && row.valid_from <= date && date < (row.valid_to ?? '9'))
        .map(({ organization_uuid, id }) => `${organization_uuid} ${id}`);
    const known = thirtyDays.map(({ date }) => date).filter((date) => on(date, 'unknown').length === 0);
    expect(known).toHaveLength(29 - 7);
    expect(
      report.days.flatMap(({ date, memberships }) => (memberships === null ? [] : [[date, memberships]])),
    ).toEqual(known.map((date) => [date, on(date, 'present').length]));
    const without = (some: string[], others: string[]) => some.filter((one) => !others.includes(one)).length;
    const counted = known.slice(1).map((to, i) => {
      const [before, after] = [on(known[i] as string, 'present'), on(to, 'present')];
      return { from: known[i], to, joined: without(after, before), left: without(before, after) };
    });
    const movements = report.movements.map(({ from, to, joined, left, moved }) => {
      return { from, to, joined: joined + moved, left: left + moved };
    });
    expect(movements).toEqual(counted);
    expect(report.movements.filter(({ moved }) => moved > 0)).toMatchObject([{ to: '2026-11-28', moved: 1 }]);
  });

  it('is the same in DuckDB, where its days were loaded out of order and one of them twice', async () => {
    const database = join(folder.path, 'thirty.duckdb');
    const flags = ['--database', database, '--state', join(folder.path, 'state'), '--from', root];
    for (const { date } of shuffledDays) {
      const ended = await claudeCompliance([
        ...['load', 'duckdb', ...flags, '--run-date', date, '--allow-incomplete'],
      ]);
      expect(ended.stderr).toBe('');
    }
    const rows = await query(
      database,
      'SELECT * REPLACE (CAST(valid_from AS VARCHAR) AS valid_from, CAST(valid_to AS VARCHAR) AS valid_to) FROM users_history',
    );
    const asRow = (row: Record<string, unknown>) => ({
      ...row,
      changed: row.changed === null ? null : (JSON.parse(String(row.changed)) as string[]),
    });
    expect(asStory(rows.map(asRow) as unknown as Parameters<typeof asStory>[0])).toEqual(storyOfUsers);
    const [question = ''] = await historyQueries();
    expect(await query(database, question)).toMatchObject(owners);
    const expected = referenceHistory(thirtyDays);
    for (const stream of streams) {
      const found = await query(database, historyQuery(stream, 'main', duckdbMicros));
      expect(viewTexts(stream, found)).toEqual(expectedTexts(stream, expected));
    }
  }, 120_000);
});
