import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSink, LocalStorage, sinkFormats } from '../src/index.js';
import { say } from './cli/command.js';
import { type Day, type JsonRecord, type MadeUpApi, startMadeUpApi } from './diff/support/made-up-api.js';
import { take } from './diff/support/take.js';
import { temporaryFolder } from './run/support/tree.js';
import { ROOT } from './source-files.js';

const text = await readFile(join(ROOT, 'docs/questions.md'), 'utf8');
const statements = [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, code = '']) => code);
const [variables = '', left = '', changed = '', overTime = ''] = statements;

const [A, B] = ['0d5f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f11', '1e6f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f12'];
const user = (id: string, organization_role: string | null): JsonRecord => ({
  id,
  full_name: id === 'user_b' ? '' : null,
  email: `${id}@example.com`,
  organization_role,
  created_at: '2024-01-01T00:00:00Z',
});
const dayOf = (a: JsonRecord[], b: JsonRecord[], asked?: string[]): Day => ({
  lists: {
    organizations: [A, B].map((uuid) => ({
      uuid,
      name: 'Ångström "AB", it\'s',
      created_at: '2024-01-01T00:00:00Z',
    })),
    [`users/${A}`]: a,
    [`users/${B}`]: b,
  },
  failing: [],
  streams: ['organizations', 'users'],
  ...(asked && { asked }),
});

/** user_c leaves A and stays in B; the roles of user_a and user_b change from and to null, that of user_d to another text. */
const BEFORE = dayOf(
  [user('user_a', null), user('user_b', 'admin'), user('user_c', 'user'), user('user_d', 'user')],
  [user('user_c', 'user')],
);
const TODAY = dayOf(
  [user('user_a', 'admin'), user('user_b', null), user('user_d', 'owner'), user('user_e', 'user')],
  [user('user_c', 'user')],
);

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A root in a format, with a day in each layout and a newest one that was asked for less. */
async function lakeOf(root: string, format: string): Promise<void> {
  const storage = new LocalStorage(root);
  const sink = () => createSink(format);
  await take(api, storage, BEFORE, { sink: sink(), runDate: '2026-11-21' });
  await take(api, storage, TODAY, { sink: sink(), runDate: '2026-11-23', layout: 'per-date' });
  const { status } = await take(api, storage, dayOf([user('user_a', 'admin')], [], [A]), {
    sink: sink(),
    runDate: '2026-11-24',
  });
  expect(status).toBe('scoped');
}

/** The rows of the last of some statements, each as JSON. */
async function rowsOf(...sql: string[]): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    for (const statement of sql.slice(0, -1)) await connection.run(statement);
    return (await connection.runAndReadAll(sql.at(-1) ?? '')).getRowObjectsJson() as never;
  } finally {
    connection.closeSync();
  }
}

async function viewsOf(root: string): Promise<string> {
  const { code, stdout, stderr } = await say(['schema', '--view', root]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe.each(sinkFormats.filter(({ duckdb }) => duckdb).map(({ name }) => name))(
  'docs/questions.md on a root in %s',
  (format) => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    /** With a name that is a pattern, and has a quote. */
    let root: string;
    beforeAll(async () => {
      folder = await temporaryFolder();
      root = join(folder.path, "it's [a] lake*");
      await lakeOf(root, format);
    });
    afterAll(() => folder[Symbol.asyncDispose]());

    it('finds who left, by organisation', async () => {
      expect(await rowsOf(await viewsOf(root), variables, left)).toEqual([
        { organization_uuid: A, id: 'user_c', email: 'user_c@example.com' },
      ]);
    });

    it('finds whose role changed, from null and to null too, which <> does not', async () => {
      const sql = [await viewsOf(root), variables];
      const ids = async (query: string) => (await rowsOf(...sql, query)).map(({ id }) => id).sort();
      expect(await ids(changed)).toEqual(['user_a', 'user_b', 'user_d']);
      expect(await ids(changed.replace('IS DISTINCT FROM', '<>'))).toEqual(['user_d']);
    });

    it('counts the members of complete days only', async () => {
      expect(await rowsOf(await viewsOf(root), overTime)).toEqual([
        { snapshot_date: '2026-11-21', memberships: '5', people: '4' },
        { snapshot_date: '2026-11-23', memberships: '5', people: '5' },
      ]);
    });

    it('keeps null and the empty text apart', async () => {
      const names = `SELECT id, full_name FROM users WHERE snapshot_date = DATE '2026-11-23' AND organization_uuid = '${A}' ORDER BY id LIMIT 2`;
      expect(await rowsOf(await viewsOf(root), names)).toEqual([
        { id: 'user_a', full_name: null },
        { id: 'user_b', full_name: '' },
      ]);
    });

    it('fails when a file that a manifest names is missing, and takes a new day without being made again', async () => {
      const views = await viewsOf(root);
      const storage = new LocalStorage(root);
      await take(api, storage, TODAY, { sink: createSink(format), runDate: '2026-11-25' });
      const count = 'SELECT count(*) AS rows FROM users';
      expect(await rowsOf(views, count)).toEqual([{ rows: '15' }]);
      const day = join(root, 'users/run_date=2026-11-23');
      const [file = ''] = await readdir(day);
      await rm(join(day, file));
      await expect(rowsOf(views, count)).rejects.toThrow(
        `A file that a manifest names is missing: ${day}/${file}`,
      );
    });
  },
);

describe('schema --view', () => {
  it('refuses a table that the root does not have, and a folder without a snapshot', async () => {
    await using folder = await temporaryFolder();
    await lakeOf(folder.path, 'csv');
    expect(await say(['schema', 'roles', '--view', folder.path])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has no files of roles. It has organizations'),
    });
    expect(await say(['schema', '--view', join(folder.path, 'elsewhere')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[snapshot_missing]'),
    });
  });

  it('refuses a root in a format that DuckDB does not read', async () => {
    await using folder = await temporaryFolder();
    await lakeOf(folder.path, 'arrow');
    expect(await say(['schema', '--view', folder.path])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[format_not_loadable]'),
    });
  });
});
