import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkReview, LocalStorage, type ReviewFinding } from '../../src/index.js';
import { type Day, type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { temporaryFolder } from '../run/support/tree.js';
import { AWKWARD, awkwardDay, ONE, TWO } from './support/awkward-day.js';
import { csvOf, packOf } from './support/packs.js';

type Cells = string[][];

let api: MadeUpApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let original: Cells;
let evidence: string;
const at = (name: string): number => (original[0] as string[]).indexOf(name);

beforeAll(async () => {
  api = await startMadeUpApi();
  folder = await temporaryFolder();
  await take(api, new LocalStorage(join(folder.path, 'root')), awkwardDay, { runDate: '2026-11-20' });
  const pack = await packOf(folder.path);
  original = parse(await readFile(join(pack, 'population.csv')), { bom: true });
  evidence = await readFile(join(pack, 'evidence.json'), 'utf8');
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Written {
  delimiter?: string;
  lineEnd?: string;
  mark?: string;
}

/** As a spreadsheet writes cells. */
const csv = (cells: Cells, { delimiter = ',', lineEnd = '\r\n', mark = '' }: Written = {}): string =>
  mark +
  cells
    .map((row) =>
      row
        .map((cell) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
        .join(delimiter),
    )
    .join(lineEnd) +
  lineEnd;

/** The rows of the pack with a decision each: that of a function, or else to keep. */
const decided = (decide: (row: string[], i: number) => string | undefined = () => undefined): Cells => {
  const [head, ...rows] = original as [string[], ...Cells];
  return [
    head,
    ...rows.map((row, i) => row.map((cell, c) => (c === at('decision') ? (decide(row, i) ?? 'keep') : cell))),
  ];
};

async function check(text: string | Uint8Array, root = 'root', proof = evidence) {
  const findings: ReviewFinding[] = [];
  const result = await checkReview({
    population: csvOf(text),
    evidence: proof,
    openRoot: async () => new LocalStorage(join(folder.path, root)),
    scratch: join(folder.path, 'scratch'),
    onFinding: (finding) => findings.push(finding),
  });
  expect(result.findings).toBe(findings.length);
  return { ...result, findings: findings.map(({ kind, row, fileRow }) => [kind, row, fileRow]) };
}

describe('a population that comes back', () => {
  it('is in order when every row has a decision, in upper or lower case', async () => {
    const words = ['keep', 'KEEP', ' Keep '];
    expect(await check(csv(decided((_, i) => words[i % 3])))).toEqual({
      runDate: '2026-11-20',
      rows: original.length - 1,
      kept: original.length - 1,
      removed: 0,
      findings: [],
      checkedBy: undefined,
    });
  });

  it.each<[string, Written]>([
    ['semicolons and a byte order mark', { delimiter: ';', mark: '\uFEFF' }],
    ['tabs and LF', { delimiter: '\t', lineEnd: '\n' }],
    ['commas and CR', { lineEnd: '\r' }],
  ])('may be written with %s, in another order, with empty rows and columns', async (_, how) => {
    const [head, ...rows] = decided() as [string[], ...Cells];
    const reversed = [head, ...rows.reverse()].map((row) => [...row, '']);
    const columns = reversed.map((row) => [...row].reverse());
    const empty = (head as string[]).map(() => '');
    expect((await check(csv([...columns, empty, empty], how))).findings).toEqual([]);
  });

  it('may have lost the guards before formulas, and have other line ends in its cells', async () => {
    const changed = decided().map((row) =>
      row.map((cell) => cell.replace(/^'(?=[=+\-@])/, '').replaceAll('\n', '\r\n')),
    );
    expect(changed).not.toEqual(decided());
    expect((await check(csv(changed))).findings).toEqual([]);
  });

  it('may have the date in the form of a country', async () => {
    const changed = decided().map((row) => row.map((cell) => (cell === '2026-11-20' ? '20.11.26' : cell)));
    expect((await check(csv(changed))).findings).toEqual([]);
  });

  it('has findings for what is not decided, and for words that are no decision', async () => {
    const { findings, kept } = await check(
      csv(decided((_, i) => ({ 1: '', 2: '  ', 4: 'delete', 5: 'yes' })[i])),
    );
    expect(findings).toEqual([
      ['not_decided', 2, 3],
      ['not_decided', 3, 4],
      ['decision_unknown', 5, 6],
      ['decision_unknown', 6, 7],
    ]);
    expect(kept).toBe(original.length - 1 - 4);
  });

  it('has findings for rows that were changed, added, repeated and deleted', async () => {
    const [head, ...rows] = decided() as [string[], ...Cells];
    const changedRow = [...(rows[2] as string[])];
    changedRow[at('role')] = 'admin';
    const foreign = [...(rows[0] as string[])];
    foreign[0] = 'r900-0123456789ab';
    const bare = [...(rows[0] as string[])];
    bare[0] = '';
    const all = [head, rows[0], rows[1], changedRow, ...rows.slice(5), rows[1], foreign, bare] as Cells;
    const size = all.length;
    expect((await check(csv(all))).findings).toEqual([
      ['changed', 3, 4],
      ['added', 2, size - 2],
      ['added', 900, size - 1],
      ['added', null, size],
      ['deleted', 4, null],
      ['deleted', 5, null],
    ]);
  });

  it.each(
    [
      'organization_uuid',
      'organization_name',
      'user_id',
      'full_name',
      'email',
      'membership',
      'granted_by',
    ].concat(['group_id', 'group_name', 'role_id', 'role', 'blanket', 'status', 'reason']),
  )('has a finding when %s was changed in one row', async (column) => {
    const changed = decided();
    (changed[4] as string[])[at(column)] += 'x';
    expect((await check(csv(changed))).findings).toEqual([['changed', 4, 5]]);
  });

  it('is not the population of the evidence when somebody has changed a row with its row id', async () => {
    const other = await temporaryFolder();
    const day: Day = structuredClone(awkwardDay);
    (day.lists[`users/${ONE}`]?.[5] as { full_name: string }).full_name = 'somebody else';
    await take(api, new LocalStorage(join(other.path, 'root')), day, { runDate: '2026-11-20' });
    const cells: Cells = parse(await readFile(join(await packOf(other.path), 'population.csv')), {
      bom: true,
    });
    await other[Symbol.asyncDispose]();
    const filled = cells.map((row, i) =>
      row.map((cell, c) => (i > 0 && c === at('decision') ? 'keep' : cell)),
    );
    expect((await check(csv(filled))).findings).toEqual([['other_population', null, null]]);
  });
});

describe('what was to be removed', () => {
  const remove = (...ids: string[]) =>
    csv(decided((row) => (ids.includes(row[at('user_id')] as string) ? 'Remove' : undefined)));
  const later = async (name: string, day: Day, runDate = '2026-11-21') => {
    await take(api, new LocalStorage(join(folder.path, name)), day, { runDate });
  };
  const rowsOf = (id: string, way: string) =>
    original.flatMap((row, i) => (row[at('user_id')] === id && row[at('granted_by')] === way ? [i] : []));
  const without = (id: string, ...lists: string[]): Day => {
    const day = structuredClone(awkwardDay);
    for (const list of lists)
      day.lists[list] = (day.lists[list] ?? []).filter((record) => record.id !== id && record.user_id !== id);
    return day;
  };

  it('still has access as long as no later snapshot says otherwise', async () => {
    const { findings, checkedBy, removed } = await check(remove('user_4'));
    expect({ checkedBy, removed }).toEqual({ checkedBy: '2026-11-20', removed: 1 });
    expect(findings).toEqual(
      rowsOf('user_4', 'organization_role').map((i) => ['still_has_access', i, i + 1]),
    );
  });

  it('is gone when the lists that were read do not have it any more', async () => {
    await later('gone', without('user_1', `users/${ONE}`, `users/${TWO}`, 'group_members/rbac_group_1'));
    expect(await check(remove('user_1'), 'gone')).toMatchObject({
      findings: [],
      checkedBy: '2026-11-21',
      removed: 3,
    });
  });

  it('has access for each row by itself: who left one organisation may be in the other, and in the group', async () => {
    await later('partly', without('user_1', `users/${ONE}`));
    const { findings } = await check(remove('user_1'), 'partly');
    const inTwo = original.findIndex(
      (row) => row[at('user_id')] === 'user_1' && row[at('organization_uuid')] === TWO,
    );
    const viaGroup = rowsOf('user_1', 'group');
    expect(findings.map(([kind]) => kind)).toEqual(findings.map(() => 'still_has_access'));
    expect(findings.map(([, row]) => row)).toEqual([inTwo, ...viaGroup].sort((a, b) => a - b));
  });

  it('has access with another role, too', async () => {
    const day = structuredClone(awkwardDay);
    for (const user of day.lists[`users/${ONE}`] ?? []) user.organization_role = 'admin';
    await later('promoted', day);
    expect((await check(remove('user_4'), 'promoted')).findings).toHaveLength(1);
  });

  it('is gone when the group does not give the role any more', async () => {
    const day = structuredClone(awkwardDay);
    (day.lists.groups?.[0] as { roles: string[] }).roles = [];
    await later('no-role', day);
    expect((await check(remove('user_gone'), 'no-role')).findings).toEqual([]);
    (day.lists.groups?.[0] as { roles: string[] | null }).roles = null;
    await later('roles-unknown', day);
    expect((await check(remove('user_gone'), 'roles-unknown')).findings).toEqual([
      ['access_unknown', rowsOf('user_gone', 'group')[0], (rowsOf('user_gone', 'group')[0] as number) + 1],
    ]);
  });

  it('is not known where the list was not read, and known where another was not', async () => {
    await later('failed', { ...without('user_4', `users/${ONE}`), failing: [`users/${ONE}`] });
    expect((await check(remove('user_4'), 'failed')).findings.map(([kind]) => kind)).toEqual([
      'access_unknown',
    ]);
    await later('other-failed', { ...without('user_4', `users/${ONE}`), failing: [`users/${TWO}`] });
    expect((await check(remove('user_4'), 'other-failed')).findings).toEqual([]);
    await later('members-failed', {
      ...without('user_gone', 'group_members/rbac_group_1'),
      failing: ['group_members/rbac_group_1'],
    });
    expect((await check(remove('user_gone'), 'members-failed')).findings.map(([kind]) => kind)).toEqual([
      'access_unknown',
    ]);
    await later('users-only', { ...without('user_gone', 'groups'), streams: ['organizations', 'users'] });
    expect((await check(remove('user_gone'), 'users-only')).findings.map(([kind]) => kind)).toEqual([
      'access_unknown',
    ]);
    await later('one-asked', { ...without('user_1', `users/${ONE}`), asked: [ONE] });
    const { findings } = await check(remove('user_1'), 'one-asked');
    const inTwo = original.findIndex(
      (row) => row[at('user_id')] === 'user_1' && row[at('organization_uuid')] === TWO,
    );
    expect(findings).toContainEqual(['access_unknown', inTwo, inTwo + 1]);
  });

  it('has access by a group row of its own, wherever the person is a member by now', async () => {
    const day = structuredClone(awkwardDay);
    day.lists[`users/${ONE}`]?.push({ id: 'user_gone', full_name: '', email: '', organization_role: 'user' });
    await later('back', day);
    expect((await check(remove('user_gone'), 'back')).findings.map(([kind]) => kind)).toEqual([
      'still_has_access',
    ]);
  });

  it('is gone for an organisation that the person has left, though the group gives the role in another', async () => {
    const day = structuredClone(awkwardDay);
    day.lists[`roles/${TWO}`] = [{ id: 'rbac_role_1', name: '=role' }];
    day.lists[`role_permissions/${TWO}/rbac_role_1`] = [];
    day.lists[`users/${ONE}`] = (day.lists[`users/${ONE}`] ?? []).filter(({ id }) => id !== 'user_1');
    await later('in-two', day);
    const inOne = csv(
      decided((row) =>
        row[at('user_id')] === 'user_1' && row[at('organization_uuid')] === ONE ? 'remove' : undefined,
      ),
    );
    expect(await check(inOne, 'in-two')).toMatchObject({ removed: 2, findings: [] });
  });

  it('is access to the group, where the group gave no role', async () => {
    const [before, after] = [structuredClone(awkwardDay), structuredClone(awkwardDay)];
    (before.lists.groups?.[0] as { roles: string[] }).roles = [];
    await later('bare/root', before, '2026-11-19');
    const pack = await packOf(join(folder.path, 'bare'));
    await later('bare/root', after);
    const cells: Cells = parse(await readFile(join(pack, 'population.csv')), { bom: true });
    const filled = cells.map((row, i) =>
      row.map((cell, c) =>
        i > 0 && c === at('decision') ? (row[at('user_id')] === 'user_gone' ? 'remove' : 'keep') : cell,
      ),
    );
    const text = await readFile(join(pack, 'evidence.json'), 'utf8');
    expect((await check(csv(filled), 'bare/root', text)).findings.map(([kind]) => kind)).toEqual([
      'still_has_access',
    ]);
  });

  it('is never known of a row about nobody', async () => {
    await later('gap/root', { ...awkwardDay, failing: [`users/${TWO}`] }, '2026-11-19');
    const pack = await packOf(join(folder.path, 'gap'));
    await later('gap/root', awkwardDay);
    const cells: Cells = parse(await readFile(join(pack, 'population.csv')), { bom: true });
    const filled = cells.map((row, i) =>
      row.map((cell, c) =>
        i > 0 && c === at('decision') ? (row[at('user_id')] === '' ? 'remove' : 'keep') : cell,
      ),
    );
    const text = await readFile(join(pack, 'evidence.json'), 'utf8');
    expect((await check(csv(filled), 'gap/root', text)).findings).toEqual([['access_unknown', 1, 2]]);
  });

  it('cannot be checked by a root that is older than the review', async () => {
    await later('older', awkwardDay, '2026-11-19');
    await expect(check(remove('user_4'), 'older')).rejects.toMatchObject({ code: 'root_is_older' });
  });
});

describe('a file that is no filled-in population', () => {
  it.each<[string, string | Uint8Array, string]>([
    [
      'in the encoding of a Windows spreadsheet',
      Buffer.from('row_id,decision\r\nr1,f\xfcr\r\n', 'latin1'),
      'file_not_utf8',
    ],
    ['in UTF-16', Buffer.from('\ufeffrow_id,decision\r\n', 'utf16le'), 'file_not_utf8'],
    ['empty', '', 'file_empty'],
    ['only a byte order mark and empty lines', '\uFEFF\r\n\r\n', 'file_empty'],
    ['without its columns', 'row_id,decision\r\nr1,keep\r\n', 'columns_missing'],
    ['with a quote that does not end', 'row_id,"decision\r\nr1,keep\r\n', 'file_not_csv'],
  ])('is refused: %s', async (_, text, code) => {
    await expect(check(text)).rejects.toMatchObject({ code });
  });

  it('is refused when the evidence is none', async () => {
    const checked = checkReview({
      population: csvOf(csv(decided())),
      evidence: '{"evidence_version": 2}',
      openRoot: async () => new LocalStorage(folder.path),
      scratch: folder.path,
      onFinding: () => {},
    });
    await expect(checked).rejects.toMatchObject({ code: 'evidence_invalid' });
  });
});

it('no message has a name or an address in it', async () => {
  const findings: ReviewFinding[] = [];
  await checkReview({
    population: csvOf(csv(original)),
    evidence,
    openRoot: async () => new LocalStorage(folder.path),
    scratch: folder.path,
    onFinding: (finding) => findings.push(finding),
  });
  const text = JSON.stringify(findings);
  expect(text).toContain('user_5');
  for (const name of ['example.com', ...AWKWARD.filter((name) => name.length > 4)])
    expect(text).not.toContain(JSON.stringify(name).slice(1, -1));
});
