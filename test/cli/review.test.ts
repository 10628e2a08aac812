import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { AWKWARD, awkwardDay, ONE } from '../review/support/awkward-day.js';
import { filesIn } from '../review/support/packs.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

let api: MadeUpApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string) => join(folder.path, name);
beforeAll(async () => {
  api = await startMadeUpApi();
  folder = await temporaryFolder();
  const storage = new LocalStorage(at('root'));
  await take(api, storage, awkwardDay, { runDate: '2026-11-20' });
  const later = structuredClone(awkwardDay);
  later.lists[`users/${ONE}`] = (later.lists[`users/${ONE}`] ?? []).filter(({ id }) => id !== 'user_6');
  await take(api, storage, later, { runDate: '2026-11-21' });
  await writeFile(at('people.csv'), 'email\nperson0@example.com\n');
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const reviewIn = (root: string, ...args: string[]) =>
  say(['review', '--root', at(root), ...args], environmentOf(undefined, { XDG_STATE_HOME: at('state') }));
const review = (...args: string[]) => reviewIn('root', ...args);

/** Fills in what was written. */
async function fillIn(pack: string, name: string, decide: (userId: string) => string): Promise<string> {
  const cells: string[][] = parse(await readFile(join(pack, 'population.csv')), { bom: true });
  const [decision, user] = ['decision', 'user_id'].map((column) => cells[0]?.indexOf(column) ?? -1);
  const rows = cells.map((row, i) =>
    row.map((cell, c) => (i > 0 && c === decision ? decide(`${row[user as number]}`) : cell)),
  );
  const path = join(pack, name);
  await writeFile(
    path,
    rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(';')).join('\n'),
  );
  return path;
}

describe('review', () => {
  it('writes a pack of the newest day, and says in a few lines what is in it', async () => {
    const pack = at('newest');
    const { code, stdout, stderr } = await review('--out', pack, '--idp', at('people.csv'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { sha256 } = (await filesIn(pack)).find(({ name }) => name === 'evidence.json') ?? {};
    expect(stdout).toBe(`access review as of 2026-11-21: 28 rows about ${AWKWARD.length + 1} people
  complete: everybody who is listed is in it
  exceptions: orphan 1, owner 2, blanket_permission 3, organization_without_owner 1, not_in_identity_provider 25
  changes since 2026-11-20
  in ${pack}: population.csv, population.xlsx, exceptions.csv, changes.csv, evidence.html, evidence.json
  SHA-256 of evidence.json ${sha256}
`);
    expect(await readdir(at('state/claude-compliance-connector/_staging/tmp'))).toEqual([]);
  });

  it('says what is missing, and with which day it was compared', async () => {
    const { stdout } = await review('--out', at('first'), '--run-date', '2026-11-20');
    expect(stdout).toContain('  no earlier complete snapshot: changes were not counted\n');
    expect(stdout).toContain('  not written: changes.csv (there is no complete snapshot before this one)\n');
    await take(
      api,
      new LocalStorage(at('part')),
      { ...awkwardDay, failing: [`users/${ONE}`] },
      { runDate: '2026-11-20' },
    );
    const part = await reviewIn('part', '--out', at('part-pack'));
    expect(part.stdout).toContain('access review as of 2026-11-20 (incomplete): ');
    expect(part.stdout).toMatch(
      / {2}not complete: 1 list not read, \d rows unknown, which is not "no access"\n/,
    );
  });

  it('replaces nothing', async () => {
    await writeFile(at('file'), 'x');
    const { code, stderr } = await review('--out', at('file'));
    expect(code).toBe(2);
    expect(stderr).toContain('Choose another name: nothing is replaced.');
  });

  it('checks a filled-in population: 3 while something is open, and 0 when all is decided and removed', async () => {
    const pack = at('filled');
    await review('--out', pack, '--run-date', '2026-11-20');
    const open = await review('--check', join(pack, 'population.csv'), '--limit', '2');
    expect(open).toMatchObject({
      code: 3,
      stderr: '',
      stdout: expect.stringMatching(
        /^review as of 2026-11-20: 29 rows, 0 to keep, 0 to remove\n {2}not_decided: 29 rows: has no decision\n {4}row 1 \(row 2 of the file\): user_\S+ \S+\n {4}row 2 .*\n {4}… and 27 more\n$/,
      ),
    });
    const removed = await fillIn(pack, 'done.csv', (id) => (id === 'user_6' ? 'remove' : 'keep'));
    expect(await review('--check', removed)).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'review as of 2026-11-20: 29 rows, 28 to keep, 1 to remove\n  removals checked by the snapshot of 2026-11-21\n  everything is decided, and what was to be removed is gone\n',
    });
    const left = await fillIn(pack, 'left.csv', (id) => (id === 'user_7' ? 'remove' : 'keep'));
    const { code, stdout } = await review('--check', left);
    expect(code).toBe(3);
    expect(stdout).toMatch(
      new RegExp(
        `\n {2}still_has_access: 1 row: was to be removed, and still has access\n {4}row \\d+ \\(row \\d+ of the file\\): user_7 ${ONE}\n$`,
      ),
    );
  });

  it('says nothing about names and addresses', async () => {
    const { stdout } = await review('--check', join(at('filled'), 'population.csv'), '--limit', '1000');
    expect(stdout.toLowerCase()).not.toContain('example.com');
    for (const name of AWKWARD.filter((name) => name.length > 4)) expect(stdout).not.toContain(name);
  });

  it.each<[string, string[], string]>([
    ['neither a folder nor a file', [], 'Give --out for a folder to write the pack to, or --check'],
    ['both', ['--out', 'x', '--check', 'y'], 'Give --out for a folder to write the pack to, or --check'],
    ['a bucket', ['--out', 's3://bucket/pack'], '--out takes a local folder'],
    [
      'a file that is not there',
      ['--check', '/nonexistent/p.csv'],
      'The evidence of the pack cannot be read',
    ],
    ['a day that is no day', ['--out', 'x', '--since', 'yesterday'], '--since must be a day of the calendar'],
    [
      'an export that is not there',
      ['--out', 'x', '--idp', '/nonexistent/x.csv'],
      '--idp /nonexistent/x.csv cannot be read (ENOENT)',
    ],
  ])('refuses %s', async (_, args, text) => {
    const { code, stderr } = await review(...args.map((arg) => (arg === 'x' ? at('never') : arg)));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(text) });
    expect(await readdir(folder.path)).not.toContain('never');
  });
});
