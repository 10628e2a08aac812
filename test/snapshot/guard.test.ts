import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, LocalStorage } from '../../src/index.js';
import { filesBelow, take, temporaryFolder } from './tree.js';

const DAY_1 = { runDate: '2026-11-22' };

/** Two servers stand for one directory on two days. */
async function twoDays(before: readonly number[], after: readonly number[], seed = 1) {
  const first = await startFixtureApi({ sizes: before });
  const second = await startFixtureApi({ sizes: after, seed });
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await first.close();
      await second.close();
    },
  };
}

describe('the blast-radius guard', () => {
  it.each([
    ['half of the users are gone', [100, 100], [100, 0], false],
    ['more than half of the users are gone', [100, 100], [99, 0], true],
    ['half of the organisations are gone', [10, 0, 0, 0], [10, 0], false],
    ['more than half of the organisations are gone', [10, 0, 0, 0], [10], true],
    ['there are more than before', [10], [20, 30], false],
    ['the newest snapshot had no users', [0, 0], [0, 0], false],
  ] as const)('when %s', async (_, before, after, isRefused) => {
    await using days = await twoDays(before, after);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const published = take(days.second, root.path);
    if (isRefused) await expect(published).rejects.toMatchObject({ code: 'shrink_refused', exitCode: 1 });
    else expect(await published).toMatchObject({ status: 'complete' });
  });

  it('refuses a directory that has no organisation in common with the last one, however large', async () => {
    await using days = await twoDays([10, 10], [100, 100], 2);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    await expect(take(days.second, root.path, { maxShrink: 100 })).rejects.toMatchObject({
      code: 'shrink_refused',
    });
  });

  it('publishes nothing, keeps what was read, and publishes that with `force`', async () => {
    await using days = await twoDays([100], [1]);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const before = await filesBelow(root.path);
    await expect(take(days.second, root.path)).rejects.toMatchObject({ code: 'shrink_refused' });
    const tables = (files: Record<string, string>) =>
      Object.keys(files).filter((path) => !path.startsWith('_'));
    expect(tables(await filesBelow(root.path))).toEqual(tables(before));
    const asked = days.second.requests.length;
    expect(await take(days.second, root.path, { force: true })).toMatchObject({
      status: 'complete',
      totals: { users: 1 },
    });
    expect(days.second.requests).toHaveLength(asked);
  });

  it('that refuses one of several targets keeps the others as they were, too', async () => {
    await using days = await twoDays([100], [1]);
    await using folder = await temporaryFolder();
    const [csv, ndjson] = [join(folder.path, 'csv'), join(folder.path, 'ndjson')];
    await take(days.first, ndjson, DAY_1);
    const both = take(days.second, csv, {
      sink: createSink('csv'),
      alsoTo: [{ sink: createSink('ndjson'), storage: new LocalStorage(ndjson) }],
      state: join(folder.path, 'state'),
    });
    await expect(both).rejects.toMatchObject({ code: 'shrink_refused' });
    expect(Object.keys(await filesBelow(csv)).filter((path) => !path.includes('/lock/'))).toEqual([]);
  });

  it('does not measure a scoped run', async () => {
    await using days = await twoDays([100, 1], [100, 1]);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const uuid = String(days.second.organizations()[1]?.uuid);
    expect(await take(days.second, root.path, { org: [uuid] })).toMatchObject({ status: 'complete' });
  });
});
