import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, LocalStorage, type SnapshotSettings } from '../../src/index.js';
import { dataBelow, filesBelow, take, temporaryFolder, uuidOf } from '../run/support/tree.js';

const DAY_1 = { runDate: '2026-11-22' };

/** One directory on two days, by two servers. */
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

describe('the guard against a directory that has shrunk', () => {
  it.each([
    ['lets half of the users be gone', [100, 100], [100, 0], false],
    ['refuses when more than half of the users are gone', [100, 100], [99, 0], true],
    ['lets half of the organisations be gone', [10, 0, 0, 0], [10, 0], false],
    ['refuses when more than half of the organisations are gone', [10, 0, 0, 0], [10], true],
    ['lets there be more than before', [10], [20, 30], false],
    ['lets a directory stay without users', [0, 0], [0, 0], false],
  ] as const)('%s', async (_, before, after, isRefused) => {
    await using days = await twoDays(before, after);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const published = take(days.second, root.path);
    if (isRefused) await expect(published).rejects.toMatchObject({ code: 'shrink_refused', exitCode: 1 });
    else expect(await published).toMatchObject({ status: 'complete' });
  });

  it.each<[string, Partial<SnapshotSettings>]>([
    ['organisations and users', {}],
    ['organisations', { streams: ['organizations'] }],
    ['users', { streams: ['users'] }],
  ])('refuses a first snapshot of %s without any organisation, unless that is allowed', async (_, asked) => {
    await using api = await startFixtureApi({ sizes: [] });
    await using root = await temporaryFolder();
    const refused = { code: 'empty_refused', exitCode: 1 };
    await expect(take(api, root.path, asked)).rejects.toMatchObject(refused);
    await expect(take(api, root.path, asked)).rejects.toThrow('--allow-empty');
    expect(await dataBelow(root.path)).toEqual({});
    const allowed = await take(api, root.path, { ...asked, allowEmpty: true });
    expect(allowed).toMatchObject({ totals: { rows: 0 } });
    await expect(take(api, root.path, { ...asked, ...DAY_1 })).rejects.toMatchObject(refused);
  });

  it('publishes organisations without users, and streams of no organisation, where there is none', async () => {
    await using api = await startFixtureApi({ sizes: [0] });
    await using root = await temporaryFolder();
    expect(await take(api, root.path, { streams: ['users'] })).toMatchObject({ totals: { rows: 0 } });
    await using none = await startFixtureApi({ sizes: [] });
    const groups = await take(none, join(root.path, 'groups'), { streams: ['groups'] });
    expect(Object.keys(groups.tables)).toEqual(['groups']);
  });

  it('says that a directory has shrunk where there was one, whatever may be empty', async () => {
    await using days = await twoDays([10], []);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const refused = { code: 'shrink_refused' };
    await expect(take(days.second, root.path)).rejects.toMatchObject(refused);
    await expect(take(days.second, root.path, { allowEmpty: true })).rejects.toMatchObject(refused);
  });

  it('compares with the newest snapshot of each stream, whatever that one has besides', async () => {
    type Case = [string, Partial<SnapshotSettings>, Partial<SnapshotSettings>];
    const cases: Case[] = [
      ['more streams than before', {}, { streams: ['organizations', 'users', 'roles'] }],
      ['fewer streams than before', { streams: ['organizations', 'users', 'roles'] }, {}],
      ['users only, before', { streams: ['users'] }, {}],
      ['users only, now', {}, { streams: ['users'] }],
      ['one file a table, before', { layout: 'per-date' }, {}],
      ['one file a table, now', {}, { layout: 'per-date' }],
    ];
    await using days = await twoDays([100], [49]);
    await using folder = await temporaryFolder();
    for (const [name, before, now] of cases) {
      const root = join(folder.path, name);
      await take(days.first, root, { ...DAY_1, ...before });
      const published = take(days.second, root, now);
      await expect(published, name).rejects.toMatchObject({ code: 'shrink_refused' });
      await expect(published).rejects.toThrow('there are 49 users where 100 were');
    }
  });

  it('counts organisations where only those are read', async () => {
    await using days = await twoDays([1, 1, 1], [1]);
    await using root = await temporaryFolder();
    const streams = ['organizations'];
    await take(days.first, root.path, { ...DAY_1, streams });
    await expect(take(days.second, root.path, { streams })).rejects.toMatchObject({ code: 'shrink_refused' });
  });

  it('does not count roles, of which there are few', async () => {
    await using days = await twoDays([1, 1, 1], [1]);
    await using root = await temporaryFolder();
    const streams = ['roles'];
    await take(days.first, root.path, { ...DAY_1, streams });
    expect(await take(days.second, root.path, { streams })).toMatchObject({ status: 'scoped' });
  });

  it('compares with an older day when the one between holds a part only', async () => {
    await using days = await twoDays([100, 100], [40, 40]);
    await using root = await temporaryFolder();
    await take(days.first, root.path, { runDate: '2026-11-20' });
    await take(days.second, root.path, { runDate: '2026-11-21', org: [uuidOf(days.second, 0)] });
    await take(days.second, root.path, { runDate: '2026-11-22', streams: ['organizations'] });
    const published = take(days.second, root.path);
    await expect(published).rejects.toThrow('Against the snapshot of 2026-11-20');
  });

  it('refuses a directory that has no organisation in common with the last one, however large', async () => {
    await using days = await twoDays([10, 10], [100, 100], 2);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const published = take(days.second, root.path, { maxShrink: 100 });
    await expect(published).rejects.toMatchObject({ code: 'shrink_refused' });
  });

  it('does not count the users of an organisation that could not be read', async () => {
    await using days = await twoDays([100, 10], [100, 10]);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const match = { organizationUuid: uuidOf(days.second, 0) };
    days.second.fault({ match, do: { type: 'answer', status: 503 } });
    const manifest = await take(days.second, root.path, { onOrgFailure: 'continue', maxShrink: 0 });
    expect(manifest).toMatchObject({ status: 'incomplete', tables: { users: { rows: 10 } } });
  });

  it('does not measure a run of some organisations', async () => {
    await using days = await twoDays([100, 1], [100, 1]);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const org = [uuidOf(days.second, 1)];
    expect(await take(days.second, root.path, { org })).toMatchObject({ status: 'scoped' });
  });

  it('publishes nothing, keeps what was read, and publishes that with `force`', async () => {
    await using days = await twoDays([100], [1]);
    await using root = await temporaryFolder();
    await take(days.first, root.path, DAY_1);
    const before = await dataBelow(root.path);
    await expect(take(days.second, root.path)).rejects.toMatchObject({ code: 'shrink_refused' });
    expect(await dataBelow(root.path)).toEqual(before);
    const asked = days.second.requests.length;
    const manifest = await take(days.second, root.path, { force: true });
    expect(manifest).toMatchObject({ status: 'complete', tables: { users: { rows: 1 } } });
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
    expect(Object.keys(await filesBelow(csv))).toEqual([]);
  });
});
