import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeRow, changesSchema, decodeFile, LocalStorage } from '../../src/index.js';
import { type Day, type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

const [ONE, TWO] = ['aaaaaaaa', 'bbbbbbbb'].map((head) => `${head}-0000-4000-8000-000000000000`) as [
  string,
  string,
];

const user = (id: string, organization_role: string, email: string | null = `${id}@example.com`) => ({
  id,
  organization_role,
  email,
});
const organization = (uuid: string) => ({ uuid, name: `Organisation ${uuid[0]}` });

const DAYS: Record<string, Day> = {
  '2026-11-20': {
    lists: {
      organizations: [ONE, TWO].map(organization),
      [`users/${ONE}`]: [user('ada', 'user'), user('bob', 'owner'), user('cyd', 'user'), user('dan', 'user')],
      [`users/${TWO}`]: [user('eve', 'user')],
    },
    failing: [],
  },
  '2026-11-21': {
    lists: {
      organizations: [ONE, TWO].map(organization),
      [`users/${ONE}`]: [
        user('ada', 'admin'),
        user('bob', 'user'),
        user('cyd', 'user', 'cyd\u001b[2Jnew@example.com'),
      ],
      [`users/${TWO}`]: [user('eve', 'user'), user('dan', 'user'), user('flo', 'user', null)],
    },
    failing: [],
  },
};
/** The same as the day before, and one list cannot be read. */
DAYS['2026-11-22'] = { lists: { ...DAYS['2026-11-21']?.lists }, failing: [`users/${TWO}`] };
DAYS['2026-11-23'] = { lists: { ...DAYS['2026-11-21']?.lists }, failing: [] };

let api: MadeUpApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startMadeUpApi();
  folder = await temporaryFolder();
  for (const [date, day] of Object.entries(DAYS)) {
    api.serve(day);
    const environment = { ANTHROPIC_COMPLIANCE_BASE_URL: api.url, ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key };
    const flags = [
      '--requests-per-minute',
      '0',
      '--max-retries',
      '0',
      '--on-org-failure',
      'continue',
      '--progress',
      'none',
    ];
    const { code, stderr } = await say(
      ['dump', '--out', join(folder.path, 'out'), '--run-date', date, ...flags],
      environmentOf(undefined, environment),
    );
    expect({ code, stderr }).toEqual({ code: day.failing.length, stderr: '' });
  }
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const diff = (...args: string[]) =>
  say(
    ['diff', ...args, '--out', join(folder.path, 'out')],
    environmentOf(undefined, { XDG_STATE_HOME: join(folder.path, 'state') }),
  );

describe('diff', () => {
  it('says what changed as people say it, and marks privilege', async () => {
    const { code, stdout, stderr } = await diff('2026-11-20', '2026-11-21');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`changes from 2026-11-20 to 2026-11-21
  users: organization_role changed (2), privilege rose: 1, privilege fell: 1
    bob@example.com (bob) in ${ONE}: owner → user (fell)
    ada@example.com (ada) in ${ONE}: user → admin (rose)
  users: email changed (1)
    cyd·[2Jnew@example.com (cyd) in ${ONE}: cyd@example.com → cyd·[2Jnew@example.com
  users: joined (1)
    flo in ${TWO}
  users: moved (1)
    dan@example.com (dan): ${ONE} → ${TWO}
`);
  });

  it('compares the two newest complete days, and exits with 3 only when something changed', async () => {
    expect(await diff('--exit-code')).toEqual({
      code: 0,
      stdout: 'changes from 2026-11-21 to 2026-11-23\n  nothing\n',
      stderr: '',
    });
    expect(await diff('2026-11-20', '--exit-code')).toMatchObject({ code: 3 });
    expect((await diff('2026-11-20')).stdout).toContain('changes from 2026-11-20 to 2026-11-23\n');
  });

  it('infers nothing from a list that was not read, and is not sure that nothing changed', async () => {
    const { code, stdout } = await diff('2026-11-21', '2026-11-22', '--exit-code');
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: `changes from 2026-11-21 to 2026-11-22 (incomplete)\n  users: not compared (1)\n    ${TWO}: overloaded (read → failed)\n`,
    });
  });

  it('writes every change as rows, and says in a few lines what they are', async () => {
    const file = join(folder.path, 'changes.parquet');
    const { stdout } = await diff('2026-11-20', '2026-11-21', '--output', file);
    expect(stdout).toMatch(
      /^changes from 2026-11-20 to 2026-11-21\n {2}users: organization_role changed \(2\)[\s\S]*\n {2}in .*changes\.parquet: parquet, [\d,]+ bytes\n$/,
    );
    const rows: ChangeRow[] = [];
    const bytes = new LocalStorage(folder.path).read('changes.parquet');
    for await (const batch of decodeFile({
      format: 'parquet',
      path: 'changes.parquet',
      schema: changesSchema,
      bytes,
    }))
      rows.push(...(batch as ChangeRow[]));
    expect(rows).toHaveLength(5);
    const lines = await diff('2026-11-20', '2026-11-21', '--output', '-', '--format', 'ndjson');
    expect(
      lines.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
    expect(lines.stderr).toContain('users: moved (1)');
    expect(await diff('2026-11-20', '--output', file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[file_exists]'),
    });
    expect((await readFile(file)).subarray(0, 4).toString()).toBe('PAR1');
  });

  it('shows the first lines of each kind', async () => {
    const { stdout } = await diff('2026-11-20', '2026-11-21', '--limit', '1', '--streams', 'users');
    expect(stdout).toContain(`(fell)\n    … and 1 more\n`);
    expect((await diff('2026-11-20', '2026-11-21', '--streams', 'organizations')).stdout).toContain(
      '\n  nothing\n',
    );
    expect((await diff('2026-11-20', '2026-11-21', '--org', TWO)).stdout).not.toContain('ada@');
  });

  it.each([
    [['2026-11-21', '2026-11-20'], 'dates_not_in_order'],
    [['2026-11-20', '2026-11-20'], 'dates_not_in_order'],
    [['2026-11-01'], 'snapshot_missing'],
    [['2026-11-20', '2026-12-01'], 'snapshot_missing'],
    [['2026-11-20', '2026-11-21', '2026-11-22'], 'usage'],
    [['yesterday'], 'settings_invalid'],
    [['--output', 's3://bucket/changes.csv'], 'output_not_local'],
    [['--output', 'changes.txt'], 'format_unknown'],
  ])('refuses %j', async (args, code) => {
    expect(await diff(...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`[${code}]`),
    });
  });
});
