import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compact,
  createSink,
  decodeFile,
  LocalStorage,
  type Manifest,
  manifestFiles,
  prune,
  readLog,
  type Slice,
  systemClock,
  users,
  verify,
  type Written,
} from '../../src/index.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { temporaryFolder } from '../run/support/tree.js';
import { DATES, erased, everyTable, manifestOf, replacementIn, threeDays } from './support/erased-root.js';
import { filesNaming, PERSON, PERSON_TEXTS, withoutPerson } from './support/person.js';
import { forgeManifest } from './support/tamper.js';

const KINDS = [
  ['ndjson', 'none', 'per-org'],
  ['ndjson', 'gzip', 'per-date'],
  ['csv', 'none', 'per-date'],
  ['csv', 'gzip', 'per-org'],
  ['parquet', 'zstd', 'per-org'],
  ['parquet', 'snappy', 'per-date'],
  ['parquet', 'none', 'per-org'],
  ['arrow', 'none', 'per-date'],
  ['arrow', 'none', 'per-org'],
] as const;

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

const slicesOf = ({ tables }: Manifest): [string, Slice][] =>
  Object.entries(tables).flatMap(([name, { slices }]) =>
    slices.map((slice): [string, Slice] => [name, slice]),
  );

/** Every row that is not of the person is as it was, but for what names her. */
async function expectErased(root: string, before: Awaited<ReturnType<typeof everyTable>>): Promise<void> {
  const after = await everyTable(root);
  for (const date of DATES) {
    const replacement = replacementIn(await manifestOf(root, date));
    for (const [table, rows] of Object.entries(before[date] ?? {}))
      expect(after[date]?.[table] ?? [], `${table} of ${date}`).toEqual(
        withoutPerson(table, rows, replacement),
      );
  }
  expect(await findings(root)).toEqual([]);
}

describe('an erasure', () => {
  it.each(KINDS)(
    'of %s (%s, %s) leaves every other row as it was, and nothing of the person in any byte',
    async (format, compression, layout) => {
      await using folder = await temporaryFolder();
      const root = folder.path;
      await threeDays(api, root, { format, compression, layout });
      const before = await everyTable(root);
      expect(inspect(before, { depth: 9 })).toMatch(/lovelace/i);
      const result = await erased(root);
      expect(result).toMatchObject({
        isKnown: true,
        snapshots: 3,
        erased: DATES.map((runDate) => ({
          runDate,
          removed: { users: 2, group_members: 2 },
          replaced: {
            organizations: 1,
            users: 2,
            roles: 1,
            role_permissions: 1,
            groups: 1,
            organization_settings: 1,
            api_keys: 1,
          },
        })),
        failed: [],
        left: [],
      });
      await expectErased(root, before);
      expect(await filesNaming(root, PERSON_TEXTS)).toEqual([]);
      const values = inspect(await everyTable(root), {
        depth: 9,
        maxArrayLength: null,
        maxStringLength: null,
      });
      expect(values).not.toMatch(/lovelace|Ada\s+(King|L)|a\.king|AdaLovelace|Countess/i);
    },
  );

  it('finds the person before it changes anything, and leaves what is somebody else’s', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    await threeDays(api, root, { lookalikes: true });
    const before = await everyTable(root);
    await erased(root);
    await expectErased(root, before);
    const { users, groups, role_permissions } = (await everyTable(root))[DATES[0]] ?? {};
    expect(users).toContainEqual(
      expect.objectContaining({ full_name: 'Ada Lövelace', email: 'ada.lovelace@example.com' }),
    );
    expect(groups).toContainEqual(expect.objectContaining({ description: 'Nada.lovelace@example.com' }));
    expect(role_permissions).toContainEqual(expect.objectContaining({ resource_id: `${PERSON}0` }));
  });

  it('can keep the rows under a pseudonym, without address, name and what is undocumented', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    await threeDays(api, root);
    const before = await everyTable(root);
    const result = await erased(root, { replaceBy: 'pseudonym' });
    expect(result.erased.map(({ removed }) => removed)).toEqual([{}, {}, {}]);
    const after = await everyTable(root);
    const replacement = replacementIn(await manifestOf(root, DATES[0]));
    for (const date of DATES) {
      expect(replacementIn(await manifestOf(root, date))).toBe(replacement);
      const own = (table: string, column: string) =>
        (before[date]?.[table] ?? [])
          .filter((row) => row[column] === PERSON)
          .map((row) => {
            const { extra: _, full_name, ...kept } = row;
            const named = full_name === undefined ? {} : { full_name: null };
            return { ...kept, ...named, [column]: replacement, email: null, extra: null };
          });
      const [users, members] = [own('users', 'id'), own('group_members', 'user_id')];
      expect([users.length, members.length]).toEqual([2, 2]);
      expect(after[date]?.users).toEqual(expect.arrayContaining(users));
      expect(after[date]?.group_members).toEqual(expect.arrayContaining(members));
      expect(after[date]?.users?.length).toBe(before[date]?.users?.length);
    }
    expect(await filesNaming(root, PERSON_TEXTS)).toEqual([]);
    expect(await findings(root)).toEqual([]);
  });

  it('writes only the files again that name her, and says so list by list', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    await threeDays(api, root);
    const before = await manifestOf(root, DATES[1]);
    const naming = await filesNaming(root, PERSON_TEXTS);
    await erased(root, { reason: 'GDPR-4711' });
    const after = await manifestOf(root, DATES[1]);
    const { tables: _tables, totals: _totals, written, replaces: _replaces, erasures, ...kept } = after;
    expect(before).toMatchObject(kept);
    expect(written.action).toBe('erase');
    const files = new Map(manifestFiles(after).map((file) => [file.path, file]));
    for (const file of manifestFiles(before))
      expect(files.get(file.path), file.path).toEqual(naming.includes(file.path) ? undefined : file);
    const lists = new Map(
      slicesOf(after).map(([name, slice]) => [name + JSON.stringify(slice.parent), slice]),
    );
    for (const [name, slice] of slicesOf(before)) {
      const list = name + JSON.stringify(slice.parent);
      const now = lists.get(list);
      const isEdited = slice.files.some(({ path }) => naming.includes(path));
      expect(now?.rows, list).toBe(slice.rows - (now?.erased ?? 0));
      expect(now?.pages_sha256 ?? null, list).toBe(isEdited ? null : slice.pages_sha256);
      const { files: _f, rows: _r, erased: _e, pages_sha256: _p, ...evidence } = now ?? ({} as Slice);
      expect(slice, list).toMatchObject(evidence);
    }
    const removed = erasures?.reduce((sum, erasure) => sum + (erasure.removed.users ?? 0), 0);
    expect(removed).toBe(2);
    expect(erasures?.every(({ reason }) => reason === 'GDPR-4711')).toBe(true);
  });

  it('keeps a tombstone in which she is found by her id only', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    await threeDays(api, root);
    await erased(root);
    const tombstones = await Promise.all(
      DATES.map(async (date) => (await manifestOf(root, date)).erasures ?? []),
    );
    const all = tombstones.flat();
    expect(all.length).toBeGreaterThanOrEqual(3);
    expect(new Set(all.map(({ salt }) => salt)).size).toBe(1);
    for (const { salt, person_sha256 } of all)
      expect(createHash('sha256').update(`${salt} ${PERSON}`).digest('hex')).toBe(person_sha256);
  });

  it('is one commit for each day, and one more where a text that is no id names her', async () => {
    await using folder = await temporaryFolder();
    await threeDays(api, folder.path);
    await erased(folder.path);
    const entries = (await readLog(new LocalStorage(folder.path))).map(({ entry }) => entry);
    expect(entries.slice(3).map((entry) => [entry?.action, entry?.run_date])).toEqual([
      ...DATES.map((date) => ['erase', date]),
      ...DATES.map((date) => ['erase', date]),
    ]);
  });

  it('works on compacted days, leaves pruned ones alone, and both can follow', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    const storage = new LocalStorage(root);
    await threeDays(api, root, { format: 'csv' });
    const clock = { ...systemClock, now: () => Date.parse('2026-11-22T12:00:00Z') };
    await prune({ storage, keepDays: 2, clock });
    await compact({ storage, runDate: DATES[1], rowsPerFile: 2 });
    const before = await everyTable(root);
    // The first day was the only one that knew the former name.
    const knownAs = ['a.king@example.com', 'Ada King'];
    expect((await erased(root, { knownAs })).erased.map(({ runDate }) => runDate)).toEqual([
      DATES[1],
      DATES[2],
    ]);
    await expectErased(root, before);
    await compact({ storage, runDate: DATES[2] });
    await prune({ storage, keepDays: 1, clock });
    expect(await findings(root)).toEqual([]);
    expect((await manifestOf(root, DATES[1])).erasures).toBeDefined();
    expect(await filesNaming(root, PERSON_TEXTS)).toEqual([]);
  });

  it('is noticed when a manifest says less of it than its lists do', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    await threeDays(api, root);
    await erased(root);
    await forgeManifest(root, (manifest) => {
      delete manifest.erasures;
    });
    const details = (await findings(root)).map(({ detail }) => detail);
    expect(details).toContain('users: its erasures removed 0 rows, of its lists 2 are missing');
  });

  it('reads files of an older version, which have fewer columns', async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    await threeDays(api, root, { format: 'parquet', compression: 'zstd' });
    const older = { ...users.schema, fields: users.schema.fields.filter(({ name }) => name !== 'full_name') };
    const storage = new LocalStorage(root);
    const files = new Map<string, Written>();
    for (const { path, table } of manifestFiles(await manifestOf(root, DATES[2]))) {
      if (table !== 'users') continue;
      const bytes = storage.read(path);
      const rows = decodeFile({ format: 'parquet', path, schema: users.schema, bytes });
      files.set(path, await storage.write(path, createSink('parquet').encode(older, rows)));
    }
    await forgeManifest(root, ({ tables: { users: table } }) => {
      for (const file of table?.slices.flatMap((slice) => slice.files) ?? [])
        Object.assign(file, files.get(file.path));
      Object.assign(table ?? {}, { columns: older.fields.map(({ name }) => name) });
    });
    const before = await everyTable(root);
    await erased(root);
    await expectErased(root, before);
    expect((await manifestOf(root, DATES[2])).tables.users?.columns).not.toContain('full_name');
    expect(await filesNaming(root, PERSON_TEXTS)).toEqual([]);
  });
});
