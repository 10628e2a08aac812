import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChangeRow, diffSnapshots, erase, LocalStorage } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { dayWithPerson, PERSON } from '../upkeep/support/person.js';
import { type Day, type MadeUpApi, startMadeUpApi } from './support/made-up-api.js';
import { take } from './support/take.js';

const [FROM, TO] = ['2026-11-21', '2026-11-22'] as const;
const [ONE] = ['a'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`);

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

async function changesIn(root: string): Promise<ChangeRow[]> {
  const rows: ChangeRow[] = [];
  const request = { storage: new LocalStorage(root), scratch: join(root, '_staging'), from: FROM, to: TO };
  for await (const batch of (await diffSnapshots(request)).changes()) rows.push(...batch);
  return rows;
}

/** The later day: one other user has joined, and one has left. */
function later(): Day {
  const day = dayWithPerson(2);
  const [zero, ada, one] = day.lists[`users/${ONE}`] ?? [];
  const fresh = { ...one, id: 'user_01Fresh' };
  return {
    ...day,
    lists: { ...day.lists, [`users/${ONE}`]: [zero, ada, fresh] as (typeof day.lists)[string] },
  };
}

/** In words. */
const said = (rows: readonly ChangeRow[]): string[] =>
  rows
    .map(({ stream, key, change, reason, field }) =>
      [stream, key.id ?? key.user_id ?? '', field ?? '', change, reason ?? ''].join(' '),
    )
    .sort();

const OTHERS = ['users user_01Fresh  added ', 'users user_01Other00000000000000001  removed '];

it('a person who was erased from both days is in no change, and the others are as before', async () => {
  await using folder = await temporaryFolder();
  const storage = new LocalStorage(folder.path);
  await take(api, storage, dayWithPerson(1), { runDate: FROM });
  await take(api, storage, later(), { runDate: TO });
  const before = said(await changesIn(folder.path));
  await erase({ storage, user: PERSON });
  expect(said(await changesIn(folder.path))).toEqual(before);
  expect(before).toEqual(OTHERS);
});

it.each(['earlier', 'later'] as const)(
  'a person who was erased from the %s day alone has not left or joined: it is unknown',
  async (side) => {
    await using folder = await temporaryFolder();
    const storage = new LocalStorage(folder.path);
    // An erasure before the other day was read, or read again.
    const days = { earlier: [dayWithPerson(1), FROM], later: [later(), TO] } as const;
    const other = side === 'earlier' ? 'later' : 'earlier';
    await take(api, storage, days[side][0], { runDate: days[side][1] });
    await erase({ storage, user: PERSON });
    await take(api, storage, days[other][0], { runDate: days[other][1] });
    const changes = await changesIn(folder.path);
    const erased = changes.filter(({ reason }) => reason === 'erased');
    expect(said(changes.filter((row) => !erased.includes(row)))).toEqual(OTHERS);
    expect(new Set(erased.map(({ change, label }) => `${change} ${label}`))).toContain('unknown null');
    expect(said(erased)).toEqual(
      expect.arrayContaining([
        `users ${PERSON}  unknown erased`,
        `group_members ${PERSON}  unknown erased`,
        'api_keys key_1 created_by_id unknown erased',
      ]),
    );
    expect(erased.every(({ change }) => change === 'unknown')).toBe(true);
  },
);
