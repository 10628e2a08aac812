import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  type Manifest,
  readLog,
  readManifest,
  verify,
} from '../../src/index.js';
import { interrupted } from '../run/support/interrupted.js';
import {
  dataBelow,
  filesBelow,
  memberships,
  pathsOf,
  RUN_DATE,
  rowsOf,
  servedMemberships,
  stagedRuns,
  take,
  temporaryFolder,
  uuidOf,
} from '../run/support/tree.js';

const SINKS = [
  ['ndjson', 'none'],
  ['ndjson', 'gzip'],
  ['csv', 'none'],
  ['csv', 'gzip'],
  ['parquet', 'zstd'],
  ['parquet', 'snappy'],
  ['parquet', 'none'],
  ['arrow', 'none'],
] as const;

type Options = Partial<Parameters<typeof compact>[0]>;

const compacted = async (root: string, options: Options = {}): Promise<Manifest> =>
  (await compact({ storage: new LocalStorage(root), runDate: RUN_DATE, ...options })).manifest;

const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

/** The content of the files of each table, in order. */
const hashesOf = ({ tables }: Manifest) =>
  Object.entries(tables).map(([name, { files, slices }]) => [
    name,
    [...files, ...slices.flatMap((slice) => slice.files)].map(({ rows, sha256 }) => [rows, sha256]),
  ]);

describe('a compaction', () => {
  it.each(SINKS)('of %s (%s) makes the very files that a dump makes', async (format, compression) => {
    await using api = await startFixtureApi({ sizes: [30, 0, 120, 5], awkward: true });
    await using folder = await temporaryFolder();
    const root = (name: string): string => join(folder.path, name);
    const settings = {
      sink: createSink(format, { compression }),
      streams: ['organizations', 'users', 'roles'],
    };
    const combined = await take(api, root('combined'), { ...settings, layout: 'per-date' });
    await take(api, root('compacted'), settings);
    const manifest = await compacted(root('compacted'));
    expect(hashesOf(manifest)).toEqual(hashesOf(combined));
    expect(Object.values(manifest.tables).map(({ layout }) => layout)).toEqual([
      'per-parent',
      'per-date',
      'per-date',
    ]);
    expect(await findings(root('compacted'))).toEqual([]);
    expect(await stagedRuns(join(root('compacted'), '_staging'))).toEqual([]);
  });

  it('keeps the evidence of the run, says what was done since, and is one commit', async () => {
    await using api = await startFixtureApi({ sizes: [30, 5] });
    await using root = await temporaryFolder();
    const before = await take(api, root.path);
    const after = await compacted(root.path);
    const { tables, totals, written, replaces, ...kept } = after;
    expect(before).toMatchObject(kept);
    expect(totals).toEqual({ ...before.totals, files: 2, bytes: totals.bytes });
    expect(tables.organizations).toEqual(before.tables.organizations);
    const slices = before.tables.users?.slices.map((slice) => ({ ...slice, files: [] }));
    expect(tables.users).toMatchObject({ layout: 'per-date', rows: 35, slices });
    const entries = (await readLog(new LocalStorage(root.path))).map(({ entry }) => entry);
    expect(entries).toMatchObject([
      { action: 'publish', run_id: before.run_id, replaces: null },
      { action: 'compact', run_id: written.run_id, replaces: before.run_id },
    ]);
    expect(written).toMatchObject({ action: 'compact', connector: before.connector });
    expect(written.run_id).not.toBe(before.run_id);
    expect(replaces).toEqual({
      run_id: before.run_id,
      manifest_sha256: entries[0]?.manifest_sha256,
    });
    const [part] = pathsOf(after, 'users');
    expect(part).toBe(`users/run_date=${RUN_DATE}/part-00000-${written.run_id}.ndjson`);
  });

  it('makes a plan first: a dry run reports what would be combined, and changes nothing', async () => {
    await using api = await startFixtureApi({ sizes: [30, 0, 5] });
    await using root = await temporaryFolder();
    const { tables } = await take(api, root.path, { streams: ['organizations', 'users', 'roles'] });
    const before = await filesBelow(root.path);
    const storage = new LocalStorage(root.path);
    const { plan, manifest } = await compact({ storage, runDate: RUN_DATE, dryRun: true });
    expect(await filesBelow(root.path)).toEqual(before);
    expect(manifest.tables).toEqual(tables);
    const planned = ['users', 'roles'].map((name) => {
      const files = tables[name]?.slices.flatMap((slice) => slice.files) ?? [];
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      return { table: name, files: files.length, rows: tables[name]?.rows, bytes };
    });
    expect(plan).toEqual({ runDate: RUN_DATE, tables: planned });
    expect((await compact({ storage, runDate: RUN_DATE })).plan).toEqual(plan);
  });

  it.each<[string, Parameters<typeof take>[2]]>([
    ['are combined already', { layout: 'per-date' }],
    ['have no lists', { streams: ['organizations'] }],
  ])('changes nothing where the tables %s', async (_, settings) => {
    await using api = await startFixtureApi({ sizes: [30, 5] });
    await using root = await temporaryFolder();
    await take(api, root.path, settings);
    const before = await filesBelow(root.path);
    const storage = new LocalStorage(root.path);
    expect((await compact({ storage, runDate: RUN_DATE })).plan.tables).toEqual([]);
    expect(await filesBelow(root.path)).toEqual(before);
  });

  it('leaves an incomplete snapshot incomplete, and a scoped one scoped', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-22', streams: ['users'] });
    const match = { organizationUuid: uuidOf(api, 1) };
    api.fault({ match, do: { type: 'answer', status: 503 } });
    await take(api, root.path, { onOrgFailure: 'continue' });
    expect(await compacted(root.path)).toMatchObject({ status: 'incomplete' });
    expect(await compacted(root.path, { runDate: '2026-11-22' })).toMatchObject({ status: 'scoped' });
    expect(await findings(root.path)).toEqual([]);
  });

  it('leaves nothing in the folder for what is not published yet', async () => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    await using state = await temporaryFolder();
    await take(api, root.path);
    await compacted(root.path, { state: state.path });
    expect(await readdir(state.path)).toEqual(['_staging']);
    expect(Object.keys(await filesBelow(state.path))).toEqual([]);
  });

  it('does not touch the unfinished dump of the same day, which replaces it', async () => {
    await using api = await startFixtureApi({ sizes: [20, 25] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    await interrupted(api, root.path);
    await compacted(root.path);
    const manifest = await take(api, root.path);
    expect(manifest.attempts).toHaveLength(2);
    expect(manifest.tables.users?.layout).toBe('per-parent');
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(await findings(root.path)).toEqual([]);
  });

  it('moves every row, whatever the sizes and the parts before and after', async () => {
    const sizes = fc.array(fc.nat(30), { minLength: 1, maxLength: 5 });
    const parts = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, parts, parts, async (sizes, before, after) => {
        await using api = await startFixtureApi({ sizes, awkward: true });
        await using root = await temporaryFolder();
        const byKey = async (manifest: Manifest) => {
          const rows = await rowsOf(root.path, manifest, 'users');
          return new Map(rows.map((row) => [`${row.organization_uuid} ${row.id}`, row]));
        };
        const expected = await byKey(await take(api, root.path, { rowsPerFile: before }));
        const manifest = await compacted(root.path, { rowsPerFile: after });
        expect(await byKey(manifest)).toEqual(expected);
        const rows = expected.size;
        const full = Array<number>(Math.floor(rows / after)).fill(after);
        expect(manifest.tables.users?.files.map((file) => file.rows)).toEqual(
          rows % after === 0 ? full : [...full, rows % after],
        );
        expect(await findings(root.path)).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });
});

it('a compaction that stopped between its commit and its end is brought to its end by the next run of any day', async () => {
  await using api = await startFixtureApi({ sizes: [30, 20] });
  await using root = await temporaryFolder();
  await take(api, root.path);
  class Stopping extends LocalStorage {
    override remove(key: string): Promise<void> {
      return key.startsWith('users/') ? Promise.reject(new Error('stopped')) : super.remove(key);
    }
  }
  await expect(compacted(root.path, { storage: new Stopping(root.path) })).rejects.toThrow('stopped');
  const manifest = (await readManifest(new LocalStorage(root.path), RUN_DATE)) as Manifest;
  expect(manifest.tables.users?.layout).toBe('per-date');
  expect(await findings(root.path)).toMatchObject([{ problem: 'unreferenced' }, { problem: 'unreferenced' }]);
  await expireLease(root.path);
  await take(api, root.path, { runDate: '2026-11-24' });
  expect(await findings(root.path)).toEqual([]);
  expect(Object.keys(await dataBelow(join(root.path, 'users', `run_date=${RUN_DATE}`)))).toHaveLength(1);
});

/** As it is when its process has ended a while ago. */
async function expireLease(root: string): Promise<void> {
  const path = join(root, `_runs/leases/${RUN_DATE}.json`);
  const lease = JSON.parse(await readFile(path, 'utf8'));
  await rm(path);
  await writeFile(path, JSON.stringify({ ...lease, expires_at: '2026-01-01T00:00:00.000Z' }));
}
