import { join } from 'node:path';
import { expect, it } from 'vitest';
import { directoryHistory, erase, type HistoryRow, LocalStorage } from '../../src/index.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { temporaryFolder } from '../run/support/tree.js';
import { dayWithPerson, PERSON } from '../upkeep/support/person.js';

const DATES = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'] as const;

it('of a person who was erased from some days says that nothing is known of them, never that they joined or left', async () => {
  await using api = await startMadeUpApi();
  await using folder = await temporaryFolder();
  const storage = new LocalStorage(folder.path);
  const [first, second, third, fourth] = DATES;
  for (const runDate of [second, third]) await take(api, storage, dayWithPerson(1), { runDate });
  await erase({ storage, user: PERSON });
  for (const runDate of [first, fourth]) await take(api, storage, dayWithPerson(1), { runDate });

  const scratch = join(folder.path, '_staging');
  const until = async (day: string): Promise<HistoryRow[]> => {
    const subject = { user: PERSON };
    const { rows } = await directoryHistory({ storage, subject, until: day, scratch });
    const all: HistoryRow[] = [];
    for await (const batch of rows()) all.push(...batch);
    return all.filter(({ stream }) => stream !== 'api_keys');
  };
  const people = await until(fourth);
  const open = (await until(third)).map(({ valid_from, valid_to, ended }) =>
    [valid_from, valid_to === null ? '' : String(valid_to), ended].join(' '),
  );
  expect(new Set(open)).toEqual(new Set([`${first} ${second} unknown`, `${second}  `]));
  expect(new Set(people.map(({ stream }) => stream))).toEqual(new Set(['users', 'group_members']));
  for (const stream of ['users', 'group_members']) {
    const [one] = people.filter((row) => row.stream === stream).map(({ key }) => JSON.stringify(key));
    const own = people.filter(({ key }) => JSON.stringify(key) === one);
    expect(
      own.map(({ valid_from, valid_to, state, began, ended, reason }) => [
        valid_from,
        valid_to,
        state,
        began,
        ended,
        reason,
      ]),
    ).toEqual([
      [first, second, 'present', 'first_read', 'unknown', null],
      [second, fourth, 'unknown', null, null, 'erased'],
      [fourth, null, 'present', 'known_again', null, null],
    ]);
  }
});
