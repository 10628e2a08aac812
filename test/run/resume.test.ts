import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, LocalStorage, manifestFiles, type Sink, verify } from '../../src/index.js';
import { clockAt, HOUR, moved } from './support/clocks.js';
import { askedSince, interrupted } from './support/interrupted.js';
import {
  dataBelow,
  filesBelow,
  memberships,
  RUN_DATE,
  rowsOf,
  servedMemberships,
  stagedRuns,
  take,
  temporaryFolder,
  uuidOf,
} from './support/tree.js';

describe('a run that was interrupted', () => {
  it('is resumed: what was read is not requested again, and nothing is lost', async () => {
    await using api = await startFixtureApi({ sizes: [15, 35, 10] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    const asked = api.requests.length;
    const manifest = await take(api, root.path);
    expect(askedSince(api, asked).sort()).toEqual([uuidOf(api, 1), uuidOf(api, 2)].sort());
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(manifest).toMatchObject({ status: 'complete', tables: { users: { rows: 60 } } });
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
  });

  it('is published by a run id of its own, and the manifest names all that read it', async () => {
    await using api = await startFixtureApi({ sizes: [15, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    const [staged] = await stagedRuns(join(root.path, '_staging'));
    await interrupted(api, root.path);
    const [renamed] = await stagedRuns(join(root.path, '_staging'));
    const [first] = staged?.split('.') ?? [];
    expect([staged, renamed]).toEqual([`${first}.1`, `${first}.2`]);
    const manifest = await take(api, root.path);
    expect(manifest.attempts).toHaveLength(3);
    expect([manifest.attempts[0], manifest.attempts.at(-1)]).toEqual([first, manifest.run_id]);
    expect(new Set(manifest.attempts).size).toBe(3);
    for (const { path } of manifestFiles(manifest)) expect(path).toContain(`-${manifest.run_id}.`);
  });

  it('gives the same bytes as one that was not', async () => {
    await using api = await startFixtureApi({ sizes: [15, 2500, 10], awkward: true });
    await using root = await temporaryFolder();
    await interrupted(api, join(root.path, 'resumed'), { rowsPerFile: 1000 });
    const hashes = async (name: string) => {
      const manifest = await take(api, join(root.path, name), { rowsPerFile: 1000 });
      return manifest.tables.users?.slices.map(({ files }) => files.map(({ sha256 }) => sha256));
    };
    expect(await hashes('resumed')).toEqual(await hashes('at-once'));
  });

  it('reads an organisation from its beginning when it had read a part of it', async () => {
    await using api = await startFixtureApi({ sizes: [0, 3500] });
    await using root = await temporaryFolder();
    api.repeat(uuidOf(api, 1), 1999);
    const match = { organizationUuid: uuidOf(api, 1), page: 2, times: 1 };
    api.fault({ match, do: { type: 'answer', status: 503 } });
    await expect(take(api, root.path, { rowsPerFile: 1000 })).rejects.toMatchObject({ exitCode: 75 });
    api.removeUser(uuidOf(api, 1), 0);
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { rowsPerFile: 1000 });
    const [slice] = manifest.tables.users?.slices.slice(1) ?? [];
    expect(askedSince(api, asked)).toHaveLength(slice?.pages ?? 0);
    expect(slice).toMatchObject({ pages: 4, rows: 3499, duplicates: 1 });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect((await verify({ storage: new LocalStorage(root.path) })).findings).toEqual([]);
  });

  it('is resumed without an organisation of which it had read a part before it was gone', async () => {
    await using api = await startFixtureApi({ sizes: [2500, 2500] });
    await using root = await temporaryFolder();
    const [gone, failing] = [uuidOf(api, 0), uuidOf(api, 1)];
    api.fault({ match: { organizationUuid: failing, times: 1 }, do: { type: 'answer', status: 503 } });
    const ndjson = createSink('ndjson');
    const unlinking: Sink = {
      ...ndjson,
      async *encode(schema, batches) {
        yield* ndjson.encode(schema, batches);
        if (schema.name === 'users' && api.organizations().length === 2) api.unlink(gone);
      },
    };
    const options = { concurrency: 1, rowsPerFile: 1000 };
    const first = take(api, root.path, { ...options, sink: unlinking });
    await expect(first).rejects.toMatchObject({ exitCode: 75 });
    const manifest = await take(api, root.path, options);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('is discarded with `fresh`', async () => {
    await using api = await startFixtureApi({ sizes: [15, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { fresh: true });
    expect(askedSince(api, asked).sort()).toEqual([uuidOf(api, 0), uuidOf(api, 1)].sort());
    expect(manifest.attempts).toEqual([manifest.run_id]);
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
  });

  it('is resumed where its root is written another way, but for another root it is left alone', async () => {
    await using api = await startFixtureApi({ sizes: [15, 35] });
    await using folder = await temporaryFolder();
    const state = join(folder.path, 'state');
    const [root, other] = [join(folder.path, 'root'), join(folder.path, 'other')];
    await interrupted(api, root, { state });
    expect((await take(api, other, { state })).attempts).toHaveLength(1);
    expect(await stagedRuns(join(state, '_staging'))).toHaveLength(1);
    expect((await take(api, `${other}/../root/`, { state })).attempts).toHaveLength(2);
    expect(await stagedRuns(join(state, '_staging'))).toEqual([]);
  });

  it('is resumed where its root has been moved to, with the staged run in it', async () => {
    await using api = await startFixtureApi({ sizes: [15, 35] });
    await using folder = await temporaryFolder();
    const [before, now] = [join(folder.path, 'before'), join(folder.path, 'now')];
    await interrupted(api, before);
    await rename(before, now);
    expect((await take(api, now)).attempts).toHaveLength(2);
    expect(await stagedRuns(join(now, '_staging'))).toEqual([]);
  });

  it('is left alone by a run that reads less, which does not replace it', async () => {
    await using api = await startFixtureApi({ sizes: [15, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    await take(api, root.path, { org: [uuidOf(api, 0)], fresh: true });
    expect(await stagedRuns(join(root.path, '_staging'))).toHaveLength(1);
    const manifest = await take(api, root.path);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('is refused when the key no longer lists what was read', async () => {
    await using api = await startFixtureApi({ sizes: [10, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    api.unlink(uuidOf(api, 0));
    await expect(take(api, root.path)).rejects.toMatchObject({ code: 'resume_mismatch', exitCode: 2 });
    expect(await dataBelow(root.path)).toEqual({});
  });
});

describe('an unfinished run', () => {
  const undated = { runDate: undefined as never };

  it('keeps its run date across midnight', async () => {
    await using api = await startFixtureApi({ sizes: [0, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, { ...undated, clock: clockAt('2026-11-22T23:59:00Z') });
    const manifest = await take(api, root.path, { ...undated, clock: clockAt('2026-11-23T00:05:00Z') });
    expect([manifest.run_date, manifest.attempts.length]).toEqual(['2026-11-22', 2]);
  });

  it('is discarded across midnight when a run that began later was published for its date', async () => {
    await using api = await startFixtureApi({ sizes: [0, 35] });
    await using root = await temporaryFolder();
    await using elsewhere = await temporaryFolder();
    await interrupted(api, root.path, { ...undated, clock: clockAt('2026-11-22T23:50:00Z') });
    const other = { ...undated, state: elsewhere.path, clock: clockAt('2026-11-22T23:55:00Z') };
    expect((await take(api, root.path, other)).run_date).toBe('2026-11-22');
    const later = { ...undated, clock: clockAt('2026-11-23T00:05:00Z') };
    await expect(take(api, root.path, later)).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    const manifest = await take(api, root.path, later);
    expect([manifest.run_date, manifest.attempts.length]).toEqual(['2026-11-23', 1]);
  });

  it('is not resumed when the clock says that it began tomorrow', async () => {
    await using api = await startFixtureApi({ sizes: [0, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, { ...undated, clock: clockAt('2027-11-23T12:00:00Z') });
    const manifest = await take(api, root.path, { ...undated, clock: clockAt('2026-11-23T12:00:00Z') });
    expect([manifest.run_date, manifest.attempts.length]).toEqual(['2026-11-23', 1]);
  });

  it.each([
    ['after 24 hours', { clock: clockAt('2026-11-22T12:00:01Z') }],
    ['with parts of another size', { rowsPerFile: 2000 }],
    ['with another format', { sink: createSink('csv') }],
    ['with another compression', { sink: createSink('ndjson', { compression: 'gzip' }) }],
    ['with other streams', { streams: ['organizations', 'users', 'roles'] }],
    ['for another day', { runDate: '2026-11-20' }],
  ])('is not resumed %s', async (_, options) => {
    await using api = await startFixtureApi({ sizes: [0, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, { clock: clockAt('2026-11-21T12:00:00Z') });
    const later = { clock: clockAt('2026-11-22T11:59:00Z'), ...options };
    expect((await take(api, root.path, later)).attempts).toHaveLength(1);
  });

  it('is resumed with other settings that do not shape its files', async () => {
    await using api = await startFixtureApi({ sizes: [0, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, { clock: clockAt('2026-11-21T12:00:00Z') });
    const manifest = await take(api, root.path, {
      clock: clockAt('2026-11-22T11:59:00Z'),
      concurrency: 3,
      maxShrink: 7,
      onOrgFailure: 'continue',
    });
    expect(manifest.attempts).toHaveLength(2);
  });

  it('is dropped by the next snapshot when nobody can resume it any more, but not before', async () => {
    await using api = await startFixtureApi({ sizes: [10, 35] });
    await using root = await temporaryFolder();
    const staging = join(root.path, '_staging');
    await interrupted(api, root.path);
    await take(api, root.path, { runDate: '2026-11-24', clock: moved(23 * HOUR) });
    expect(await stagedRuns(staging)).toHaveLength(1);
    await take(api, root.path, { runDate: '2026-11-24', clock: moved(25 * HOUR) });
    expect(await stagedRuns(staging)).toEqual([]);
  });

  it('is dropped by a snapshot of its day that reads as much', async () => {
    await using api = await startFixtureApi({ sizes: [10, 35] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path);
    await take(api, root.path, { rowsPerFile: 7 });
    expect(await stagedRuns(join(root.path, '_staging'))).toEqual([]);
    const staged = Object.keys(await filesBelow(root.path)).filter((path) => path.startsWith('_staging'));
    expect(staged).toEqual([]);
  });

  it('of a run that a guard refused is resumed on its own day, and not the day after', async () => {
    await using api = await startFixtureApi({ sizes: [100] });
    await using small = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-21' });
    const evening = { ...undated, clock: clockAt('2026-11-22T20:00:00Z') };
    const refused = take(small, root.path, evening);
    await expect(refused).rejects.toMatchObject({ code: 'shrink_refused' });
    const morning = { ...undated, clock: clockAt('2026-11-23T02:00:00Z'), force: true };
    expect((await take(small, root.path, morning)).run_date).toBe(RUN_DATE);
    const asked = small.requests.length;
    const night = { ...undated, clock: clockAt('2026-11-22T21:00:00Z'), force: true };
    expect((await take(small, root.path, night)).attempts).toHaveLength(2);
    expect(small.requests).toHaveLength(asked);
  });
});
