import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { publishTables } from '../../bench/directory-root.js';
import { listRows } from '../../src/diff/list-rows.js';
import { LocalStorage, type Row, type Slice, users } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';

const ROWS = 3000;

/** Five lists, by default in fifteen combined files. */
async function openLists(root: string, rowsPerFile = 1000) {
  const tables = new Map([
    [
      users,
      ['a', 'b', 'c', 'd', 'e'].map((list) => ({
        parent: { organization_uuid: list },
        rows: ROWS,
        row: (n: number) => ({ id: `${list}-${n}` }),
      })),
    ],
  ]);
  const manifest = await publishTables(root, {
    format: 'ndjson',
    runDate: '2026-11-23',
    tables,
    rowsPerFile,
  });
  const files = manifest.tables.users?.files.map(({ path }) => path) ?? [];
  const read: number[] = [];
  class Watched extends LocalStorage {
    override async *read(key: string): AsyncGenerator<Uint8Array> {
      read.push(files.indexOf(key));
      yield* super.read(key);
    }
  }
  const lists = listRows(users, { storage: new Watched(root), manifest });
  const slices = manifest.tables.users?.slices ?? [];
  return {
    files,
    read,
    lists,
    rowsOf: (list: string) =>
      idsOf(lists.of(slices.find(({ parent }) => parent.organization_uuid === list) as Slice)),
  };
}

async function idsOf(rows: AsyncIterable<readonly Row[]>): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const batch of rows) ids.push(...batch.map(({ id }) => id));
  return ids;
}

const idsIn = (list: string) => Array.from({ length: ROWS }, (_, n) => `${list}-${n}`);

it('finds lists in combined files, and opens no file that has only others', async () => {
  await using root = await temporaryFolder();
  const { lists, read, rowsOf } = await openLists(root.path);
  expect(await rowsOf('b')).toEqual(idsIn('b'));
  expect(await rowsOf('e')).toEqual(idsIn('e'));
  await lists.end();
  expect(read).toEqual([3, 4, 5, 6, 12, 13, 14]); // the seventh shows that the list has ended
});

it('reports a combined file that was changed where nobody needs it', async () => {
  await using root = await temporaryFolder();
  const { lists, files, rowsOf } = await openLists(root.path, 15 * ROWS);
  const path = join(root.path, files[0] ?? '');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"d-99"', '"d-98"'));
  expect(await rowsOf('a')).toEqual(idsIn('a'));
  await expect(lists.end()).rejects.toMatchObject({ code: 'file_differs' });
});
