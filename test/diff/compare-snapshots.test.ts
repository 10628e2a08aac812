import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type List, publishTables } from '../../bench/directory-root.js';
import {
  type ChangeRow,
  type Comparison,
  compareSnapshots,
  groups,
  LocalStorage,
  organizations,
  type Stream,
  users,
} from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';

const [FROM, TO] = ['2026-11-22', '2026-11-23'];
const [ONE, TWO] = ['aaaaaaaa', 'bbbbbbbb'].map((head) => `${head}-0000-4000-8000-000000000000`) as [
  string,
  string,
];

const list = (parent: Record<string, string>, ...records: object[]): List => ({
  parent,
  rows: records.length,
  row: (n) => ({ ...records[n] }),
});
const usersOf = (organization_uuid: string, ...records: object[]) => list({ organization_uuid }, ...records);

/** The stream as a version knew it that had fewer fields. */
function older(stream: Stream, ...missing: string[]): Stream {
  const isKnown = ({ name }: { name: string }) => !missing.includes(name);
  const { schema } = stream;
  return { ...stream, schema: { ...schema, fields: schema.fields.filter(isKnown) } };
}

type Tables = readonly (readonly [Stream, readonly List[]])[];

/** What is said about two days, without what is the same in every row. */
async function said(
  days: readonly [Tables, Tables],
  options: Partial<Comparison> = {},
): Promise<Partial<ChangeRow>[]> {
  await using root = await temporaryFolder();
  const storage = new LocalStorage(root.path);
  const sides = [];
  for (const [i, runDate] of [FROM, TO].entries()) {
    const tables = new Map(days[i]);
    const manifest = await publishTables(root.path, { format: 'parquet', runDate, tables });
    sides.push({ storage, manifest });
  }
  const [before, after] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const rows: Partial<ChangeRow>[] = [];
  const scratch = join(root.path, 'scratch');
  for await (const batch of compareSnapshots({ before, after, scratch, ...options })) {
    for (const { from_date, to_date, ...row } of batch) {
      expect([from_date, to_date]).toEqual([FROM, TO]);
      rows.push(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));
    }
  }
  return rows;
}

describe('a column that only one of two days has', () => {
  it('is not known, and what the other day kept of it in `extra` is no change', async () => {
    const now = { id: 'ada', full_name: 'Ada', email: 'a@example.com', organization_role: 'user' };
    const then = { ...now, extra: { organization_role: 'owner', plan: 1 } };
    expect(
      await said([
        [[older(users, 'organization_role'), [usersOf(ONE, then)]]],
        [[users, [usersOf(ONE, { ...now, extra: { plan: 2 } })]]],
      ]),
    ).toEqual([
      { stream: 'users', key: {}, change: 'unknown', field: 'organization_role', reason: 'column_not_read' },
      {
        stream: 'users',
        organization_uuid: ONE,
        key: { organization_uuid: ONE, id: 'ada' },
        label: 'a@example.com',
        change: 'changed',
        field: 'extra',
        before: { plan: 1 },
        after: { plan: 2 },
      },
    ]);
  });

  it('is compared in `extra` when both days have it there', async () => {
    const old = older(users, 'organization_role');
    const day = (role: string): Tables => [
      [old, [usersOf(ONE, { id: 'ada', extra: { organization_role: role } })]],
    ];
    expect(await said([day('user'), day('user')])).toEqual([]);
    expect(await said([day('user'), day('owner')])).toMatchObject([
      { field: 'extra', before: { organization_role: 'user' }, after: { organization_role: 'owner' } },
    ]);
  });
});

describe('roles that a group gives', () => {
  it('are not known where the API did not say them: that is no change', async () => {
    const day = (roles: string[] | null): Tables => [[groups, [list({}, { id: 'g', name: 'Group', roles })]]];
    const about = { stream: 'groups', key: { id: 'g' }, label: 'Group', field: 'roles' };
    const unknown = { ...about, change: 'unknown', reason: 'value_not_served' };
    expect(await said([day(['r']), day(null)])).toEqual([{ ...unknown, before: ['r'] }]);
    expect(await said([day(null), day([])])).toEqual([{ ...unknown, after: [] }]);
    expect(await said([day(null), day(null)])).toEqual([]);
    expect(await said([day(['r']), day([])])).toEqual([
      { ...about, change: 'changed', before: ['r'], after: [] },
    ]);
  });
});

describe('what is asked for', () => {
  const ada = { id: 'ada', email: 'ada@example.com' };
  const bob = { id: 'bob', email: 'bob@example.com' };
  const directory = (one: object[], two: object[]): Tables => [
    [organizations, [list({}, ...[ONE, TWO].map((uuid) => ({ uuid, name: `${uuid[0]} ${one.length}` })))]],
    [users, [usersOf(ONE, ...one), usersOf(TWO, ...two)]],
    [groups, [list({}, { id: 'g', name: `${one.length}` })]],
  ];
  const days = [directory([], []), directory([ada], [bob])] as const;
  const keysOf = (rows: Partial<ChangeRow>[]) =>
    rows.map(({ key, change }) => [...Object.values(key ?? {}), change]);

  it('may be some organisations, in any case; what belongs to none is always said', async () => {
    expect(keysOf(await said(days, { organizations: [TWO.toUpperCase()] }))).toEqual([
      [TWO, 'changed'],
      [TWO, 'bob', 'added'],
      ['g', 'changed'],
    ]);
  });

  it('is refused where neither day has a list of the organisation', async () => {
    const [other] = ['cccccccc-0000-4000-8000-000000000000'];
    await expect(said(days, { organizations: [ONE, other] })).rejects.toMatchObject({
      code: 'organization_not_listed',
    });
    const none: Tables = [[organizations, [list({}, { uuid: ONE })]]];
    expect(await said([none, none], { organizations: [ONE] })).toEqual([]);
  });

  it('is not known where neither day has it', async () => {
    const row = {
      key: {},
      change: 'unknown',
      before: 'not read',
      after: 'not read',
      reason: 'stream_not_read',
    };
    expect(await said(days, { streams: ['roles', 'users'] })).toMatchObject([
      { stream: 'users', change: 'added' },
      { stream: 'users', change: 'added' },
      { stream: 'roles', ...row },
    ]);
  });

  it('may be a table that a newer version wrote, which is not known', async () => {
    const seats = { ...older(users), name: 'seats' };
    expect(await said([[], [[seats, [usersOf(ONE, ada)]]]])).toEqual([
      {
        stream: 'seats',
        key: {},
        change: 'unknown',
        before: 'not read',
        after: 'read',
        reason: 'stream_not_known',
      },
    ]);
  });
});

describe('a person in several organisations', () => {
  const person = { id: 'ada', email: 'a@example.com', organization_role: 'user' };
  const places = (...uuids: string[]): Tables => [
    [users, ['a', 'b', 'c', 'd'].map((uuid) => usersOf(uuid, ...(uuids.includes(uuid) ? [person] : [])))],
  ];
  const changes = (rows: Partial<ChangeRow>[]) =>
    rows.map(({ change, before, after }) => {
      const [one, other] = [before, after].map(
        (value) => (value as { organization_uuid?: string })?.organization_uuid,
      );
      return `${change} ${change === 'moved' ? `${one} ${other}` : ''}`.trim();
    });

  it('moved from the first that was left to the first that was joined, and so on', async () => {
    expect(changes(await said([places('b', 'c'), places('a', 'd')]))).toEqual(['moved b a', 'moved c d']);
    expect(changes(await said([places('b'), places('a', 'd')]))).toEqual(['moved b a', 'added']);
    expect(changes(await said([places('c', 'b'), places('b', 'd')]))).toEqual(['moved c d']);
    expect(changes(await said([places('a', 'b', 'c'), places('b')]))).toEqual(['removed', 'removed']);
  });
});
