import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessRows } from '../../src/access/access-rows.js';
import { effectiveAccessSchema } from '../../src/access/schema.js';
import { Partitions } from '../../src/storage/partitions.js';
import { temporaryFolder } from '../run/support/temporary-folder.js';
import { derivedRows, directoryIn } from './support/derived.js';
import { damaged, damages, directories } from './support/directories.js';
import { type PlainDirectory, referenceRows, rowTexts } from './support/reference.js';

const anyDirectory = fc
  .tuple(directories, damages(['failed', 'unavailable', 'gone']))
  .map(([directory, damage]) => damaged(directory, damage));

describe('the rows of effective_access', () => {
  it('are those of the rules, for any directory and whatever of it was not read', async () => {
    await fc.assert(
      fc.asyncProperty(anyDirectory, async (directory) => {
        expect(rowTexts(await derivedRows(directory))).toEqual(rowTexts(referenceRows(directory)));
      }),
      { numRuns: 1500 },
    );
  });

  it('are named by the primary key, and have exactly the columns of the schema', async () => {
    const names = effectiveAccessSchema.fields.map(({ name }) => name);
    await fc.assert(
      fc.asyncProperty(anyDirectory, async (directory) => {
        const rows = (await derivedRows(directory)) as Record<string, unknown>[];
        const keys = rows.map((row) =>
          JSON.stringify(effectiveAccessSchema.primaryKey.map((name) => row[name])),
        );
        expect(new Set(keys).size).toBe(rows.length);
        for (const row of rows) expect(Object.keys(row).sort()).toEqual([...names].sort());
      }),
      { numRuns: 500 },
    );
  });

  it('come in the same order whatever the order of the tables is, and what of them was on disk', async () => {
    const shuffled = ({ rows, lists, ...table }: NonNullable<PlainDirectory['users']>) => ({
      ...table,
      lists: lists.toReversed(),
      rows: rows.toReversed(),
    });
    await fc.assert(
      fc.asyncProperty(anyDirectory, fc.constantFrom(0, 60), async (directory, buffered) => {
        await using folder = await temporaryFolder();
        const { users, roles, rolePermissions, groups, groupMembers } = directory;
        const reversed = Object.fromEntries(
          Object.entries({ users, roles, rolePermissions, groups, groupMembers }).map(([name, table]) => [
            name,
            table && shuffled(table as never),
          ]),
        );
        const rows = await derivedRows(directory, { count: 2 });
        const onDisk = { folder: folder.path, count: 2, buffered };
        expect(await derivedRows({ ...directory, ...reversed }, onDisk)).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  it('never lack what was not read: in the place of what anybody may do there is an unknown row', async () => {
    await fc.assert(
      fc.asyncProperty(directories, damages(['failed', 'unavailable']), async (directory, damage) => {
        // Of a group that neither its own list nor its list of members mentions, nothing is in the snapshot.
        const isTraceless =
          damage.missing.includes('groupMembers') ||
          damage.lists.some(({ verdict }) => verdict === 'unnamed');
        fc.pre(damage.lostGroup === null || !isTraceless);
        // A group without roles gives nothing, and a role that none of the user's organisations has neither.
        const known = (await derivedRows(directory)).filter(
          ({ status, membership, source, role_id }) =>
            status === 'known' &&
            membership !== 'elsewhere' &&
            (source === 'organization_role' || role_id !== null),
        );
        const published = await derivedRows(damaged(directory, damage));
        const HOW = ['source', 'organization_uuid', 'user_id', 'group_id', 'role_id'] as const;
        const WHAT = ['action', 'resource_type', 'resource_id'] as const;
        const uncovered = known.filter(
          (row) =>
            !published.some((other) =>
              other.status === 'unknown'
                ? HOW.every((name) => other[name] === null || other[name] === row[name])
                : [...HOW, ...WHAT].every((name) => other[name] === row[name]),
            ),
        );
        expect(uncovered).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('partitions', () => {
  const directory = (people: number): PlainDirectory => ({
    snapshotDate: '2026-11-23',
    hasAllOrganizations: true,
    users: {
      lists: [{ parent: { organization_uuid: 'o' }, verdict: 'complete' }],
      rows: Array.from({ length: people }, (_, i) => ({
        organization_uuid: 'o',
        id: `user_${i}`,
        email: null,
        organization_role: 'user',
      })),
    },
    roles: { lists: [], rows: [] },
    rolePermissions: { lists: [], rows: [] },
    groups: { lists: [{ parent: {}, verdict: 'complete' }], rows: [] },
    groupMembers: { lists: [], rows: [] },
  });

  it('are files that only their owner may read, and hold no more than a part of the people each', async () => {
    await using root = await temporaryFolder();
    const folder = join(root.path, 'own');
    await mkdir(folder);
    const rows = await derivedRows(directory(5000), { folder, buffered: 100, count: 16 });
    expect(new Set(rows.map(({ user_id }) => user_id)).size).toBe(5000);
    expect(rows).toHaveLength(5000);
    const names = await readdir(folder);
    expect(names).toHaveLength(16);
    for (const name of names) {
      const { mode, size } = await stat(join(folder, name));
      expect(mode & 0o777).toBe(0o600);
      expect(size).toBeLessThan((2 * 5000 * 30) / 16);
    }
  });

  it('are given up after the batch in which the signal is aborted', async () => {
    const aborting = new AbortController();
    let batches = 0;
    const read = async () => {
      const partitions = new Partitions('/nonexistent', { count: 1, buffered: 2 ** 20 });
      const request = { directory: directoryIn(directory(5000)), partitions, signal: aborting.signal };
      for await (const _ of accessRows(request)) {
        batches += 1;
        aborting.abort(new Error('given up'));
      }
    };
    await expect(read()).rejects.toThrow('given up');
    expect(batches).toBe(1);
  });
});
