import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  type Clock,
  createSink,
  LocalStorage,
  readManifest,
  type Sink,
  type SnapshotOptions,
  systemClock,
  verify,
} from '../../src/index.js';
import { filesBelow, memberships, rowsOf, servedMemberships, take, temporaryFolder } from './tree.js';

const SERVER_ERROR = { type: 'answer', status: 503, body: {} } as const;
const uuidOf = (api: FixtureApi, index: number): string => String(api.organizations()[index]?.uuid);

/** The wall clock, moved. */
const clockAt = (iso: string): Clock => {
  const shift = Date.parse(iso) - Date.now();
  return { ...systemClock, now: () => Date.now() + shift };
};

/** A run that fails at one page of one organisation, once. */
async function interrupted(
  api: FixtureApi,
  root: string,
  options: Partial<SnapshotOptions> = {},
): Promise<void> {
  api.fault({ match: { organizationUuid: uuidOf(api, 1), page: 2, times: 1 }, do: SERVER_ERROR });
  await expect(take(api, root, { concurrency: 1, rowsPerFile: 1000, ...options })).rejects.toMatchObject({
    exitCode: 75,
  });
}

describe('a run that was cut short', () => {
  it('goes on: what was read is not asked for again, and the result is as if nothing had happened', async () => {
    await using api = await startFixtureApi({ sizes: [1500, 3500, 10] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { concurrency: 1, rowsPerFile: 1000 });
    const users = api.requests.slice(asked).filter(({ organizationUuid }) => organizationUuid);
    expect(users.map(({ organizationUuid, query }) => [organizationUuid, 'page' in query])).toEqual([
      [uuidOf(api, 1), true],
      [uuidOf(api, 1), true],
      [uuidOf(api, 2), false],
    ]);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(manifest).toMatchObject({ status: 'complete', totals: { users: 5010, duplicates: 0 } });
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });

  it('gives the same files as one that was not', async () => {
    await using api = await startFixtureApi({ sizes: [1500, 3500, 10], awkward: true });
    await using root = await temporaryFolder();
    await interrupted(api, join(root.path, 'cut'));
    const cut = await take(api, join(root.path, 'cut'), { rowsPerFile: 1000 });
    const whole = await take(api, join(root.path, 'whole'), { rowsPerFile: 1000 });
    expect(cut.slices.map(({ files }) => files)).toEqual(whole.slices.map(({ files }) => files));
  });

  it('still drops a record that was already read before it was cut', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    api.repeat(uuidOf(api, 1), 1999);
    await interrupted(api, root.path);
    const manifest = await take(api, root.path, { rowsPerFile: 1000 });
    expect(manifest.totals).toMatchObject({ users: 3500, duplicates: 1 });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('reads an organisation anew when its token has gone stale', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    api.fault({
      match: { organizationUuid: uuidOf(api, 1), page: 2, times: 1 },
      do: { type: 'stale-token' },
    });
    const manifest = await take(api, root.path, { rowsPerFile: 1000 });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(manifest.totals.duplicates).toBe(0);
  });

  it('forgets the parts that it writes over when the token after them has gone stale', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    api.fault({
      match: { organizationUuid: uuidOf(api, 1), page: 2, times: 1 },
      do: { type: 'stale-token' },
    });
    api.removeUser(uuidOf(api, 1), 0);
    // Read anew from its first page, the organisation fails at the second: before the new part is in the journal.
    let files = 0;
    const ndjson = createSink('ndjson');
    const broken: Sink = {
      ...ndjson,
      async *encode(schema, batches) {
        files += schema.name === 'users' ? 1 : 0;
        yield* ndjson.encode(schema, batches);
        if (schema.name === 'users') throw new Error('cut');
      },
    };
    await expect(take(api, root.path, { sink: broken, rowsPerFile: 1000 })).rejects.toThrow('cut');
    expect(files).toBe(1);
    const manifest = await take(api, root.path, { rowsPerFile: 1000 });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect((await verify({ storage: new LocalStorage(root.path) })).findings).toEqual([]);
  });

  it('goes on without an organisation of which it had read a part before it was gone', async () => {
    await using api = await startFixtureApi({ sizes: [2500, 2500] });
    await using root = await temporaryFolder();
    const [gone, cut] = [uuidOf(api, 0), uuidOf(api, 1)];
    api.fault({ match: { organizationUuid: cut, times: 1 }, do: SERVER_ERROR });
    const ndjson = createSink('ndjson');
    const unlinking: Sink = {
      ...ndjson,
      async *encode(schema, batches) {
        yield* ndjson.encode(schema, batches);
        if (schema.name === 'users' && api.organizations().length === 2) api.unlink(gone);
      },
    };
    const options = { concurrency: 1, rowsPerFile: 1000 };
    await expect(take(api, root.path, { ...options, sink: unlinking })).rejects.toMatchObject({
      exitCode: 75,
    });
    const manifest = await take(api, root.path, options);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('is discarded with `fresh`', async () => {
    await using api = await startFixtureApi({ sizes: [1500, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    const asked = api.requests.length;
    await take(api, root.path, { fresh: true, rowsPerFile: 1000 });
    expect(api.requests.length - asked).toBe(1 + 2 + 4);
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });

  it('goes on where its root is written another way, but for another root it is left alone', async () => {
    await using api = await startFixtureApi({ sizes: [1500, 3500] });
    await using folder = await temporaryFolder();
    const state = join(folder.path, 'state');
    const [root, other] = [join(folder.path, 'root'), join(folder.path, 'other')];
    await interrupted(api, root, { state });
    await take(api, other, { state, rowsPerFile: 1000, fresh: true });
    await take(api, `${other}/../root/`, { state, rowsPerFile: 1000, resume: true });
    expect(await readdir(state)).toEqual(['tmp']);
  });

  it('goes on where its root has been moved to, with the staging in it', async () => {
    await using api = await startFixtureApi({ sizes: [1500, 3500] });
    await using folder = await temporaryFolder();
    const [before, now] = [join(folder.path, 'before'), join(folder.path, 'now')];
    await interrupted(api, before);
    await rename(before, now);
    await take(api, now, { rowsPerFile: 1000, resume: true });
    expect(await readdir(join(now, '_staging'))).toEqual(['tmp']);
  });

  it('is left alone by a run that reads less, which does not replace it', async () => {
    await using api = await startFixtureApi({ sizes: [1500, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    await take(api, root.path, { org: [uuidOf(api, 0)], fresh: true });
    const manifest = await take(api, root.path, { rowsPerFile: 1000, resume: true });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('is not gone on with when the clock says that it began tomorrow', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    const today = { runDate: undefined as never, clock: clockAt('2026-11-23T12:00:00Z') };
    await interrupted(api, root.path, { ...today, clock: clockAt('2027-11-23T12:00:00Z') });
    expect(await take(api, root.path, { ...today, rowsPerFile: 1000 })).toMatchObject({
      run_date: '2026-11-23',
    });
  });

  it('keeps its run date across midnight', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, {
      runDate: undefined as never,
      clock: clockAt('2026-11-22T23:59:00Z'),
    });
    const manifest = await take(api, root.path, {
      runDate: undefined as never,
      rowsPerFile: 1000,
      clock: clockAt('2026-11-23T00:05:00Z'),
    });
    expect(manifest.run_date).toBe('2026-11-22');
  });

  it('is not gone on with after 24 hours, nor with other settings, nor by the key of another parent', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, { clock: clockAt('2026-11-21T12:00:00Z') });
    const later = { resume: true, rowsPerFile: 1000, clock: clockAt('2026-11-22T12:00:01Z') };
    await expect(take(api, root.path, later)).rejects.toMatchObject({
      code: 'nothing_to_resume',
      exitCode: 2,
    });
    const others = { resume: true, rowsPerFile: 2000, clock: clockAt('2026-11-21T12:00:01Z') };
    await expect(take(api, root.path, others)).rejects.toMatchObject({ code: 'nothing_to_resume' });
  });

  it('is dropped by the next snapshot when nobody can go on with it any more, but not before', async () => {
    await using api = await startFixtureApi({ sizes: [10, 3500] });
    await using root = await temporaryFolder();
    const left = async () => (await readdir(join(root.path, '_staging'))).filter((name) => name !== 'tmp');
    const hoursLater = (hours: number): Clock => ({
      ...systemClock,
      now: () => Date.now() + hours * 60 * 60 * 1000,
    });
    await interrupted(api, root.path);
    await take(api, root.path, { runDate: '2026-11-24', clock: hoursLater(23) });
    expect(await left()).toHaveLength(1);
    await take(api, root.path, { runDate: '2026-11-24', clock: hoursLater(25) });
    expect(await left()).toEqual([]);
  });

  it('in the middle of its publication keeps its data for as long as it takes', async () => {
    await using api = await startFixtureApi({ sizes: [10] });
    await using root = await temporaryFolder();
    class Cut extends LocalStorage {
      override replaceFolder = () => Promise.reject(new Error('cut'));
    }
    await expect(take(api, root.path, { storage: new Cut(root.path) })).rejects.toThrow('cut');
    const clock = { ...systemClock, now: () => Date.now() + 48 * 60 * 60 * 1000 };
    await take(api, root.path, { runDate: '2026-11-24', clock });
    expect(await readdir(join(root.path, '_staging'))).toHaveLength(2);
  });

  it('is refused when the key no longer lists what was read', async () => {
    await using api = await startFixtureApi({ sizes: [10, 3500] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    api.unlink(uuidOf(api, 0));
    await expect(take(api, root.path, { rowsPerFile: 1000 })).rejects.toMatchObject({
      code: 'resume_mismatch',
      exitCode: 2,
    });
    expect(Object.keys(await filesBelow(root.path)).filter((path) => path.startsWith('users/'))).toEqual([]);
  });
});

it('does not publish staged files that are not what was staged', async () => {
  await using api = await startFixtureApi({ sizes: [30, 20] });
  await using small = await startFixtureApi({ sizes: [1] });
  await using root = await temporaryFolder();
  await take(api, root.path, { runDate: '2026-11-22' });
  await expect(take(small, root.path)).rejects.toMatchObject({ code: 'shrink_refused' });
  const staging = join(root.path, '_staging');
  const [part] = Object.keys(await filesBelow(staging)).filter((path) => path.includes('org_uuid='));
  await writeFile(join(staging, part ?? ''), '{"id":"invented"}\n');
  await expect(take(small, root.path, { force: true })).rejects.toMatchObject({ code: 'file_differs' });
  expect(await readManifest(new LocalStorage(root.path), '2026-11-23')).toBeUndefined();
  expect(await take(small, root.path, { force: true, fresh: true })).toMatchObject({ status: 'complete' });
});
