import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  type Manifest,
  manifestFiles,
  readManifest,
  type StagedFolder,
  type Storage,
  systemClock,
  verify,
} from '../../src/index.js';
import { acquireLock } from '../../src/snapshot/lock.js';
import { readLog } from '../../src/snapshot/log.js';
import {
  CutShort,
  filesBelow,
  memberships,
  rowsOf,
  servedMemberships,
  take,
  temporaryFolder,
  textOf,
} from './tree.js';

const RUN_DATE = '2026-11-23';
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

/** The data files of a root, by path. */
const dataOf = async (root: string): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(await filesBelow(root)).filter(([path]) => !path.startsWith('_')));

const compacted = async (
  root: string,
  options: Partial<Parameters<typeof compact>[0]> = {},
): Promise<Manifest> =>
  (await compact({ storage: new LocalStorage(root), runDate: RUN_DATE, ...options })).manifest;

const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

describe('a compaction', () => {
  it.each(SINKS)(
    'of %s (%s) makes the very files that a dump makes, there and back',
    async (format, compression) => {
      await using api = await startFixtureApi({ sizes: [30, 0, 1200, 5], awkward: true });
      await using folder = await temporaryFolder();
      const root = (name: string): string => join(folder.path, name);
      const sink = createSink(format, { compression });
      await take(api, root('per-org'), { sink });
      await take(api, root('per-date'), { sink, layout: 'per-date' });
      await take(api, root('compacted'), { sink });
      const manifest = await compacted(root('compacted'));
      expect(await dataOf(root('compacted'))).toEqual(await dataOf(root('per-date')));
      expect(manifest.users.files).toEqual(
        (await readManifest(new LocalStorage(root('per-date')), RUN_DATE))?.users.files,
      );
      expect(await findings(root('compacted'))).toEqual([]);
      await compacted(root('compacted'), { layout: 'per-org' });
      expect(await dataOf(root('compacted'))).toEqual(await dataOf(root('per-org')));
      expect(await findings(root('compacted'))).toEqual([]);
      expect(await readdir(join(root('compacted'), '_staging'))).toEqual(['tmp']);
    },
  );

  it('keeps the evidence of the run, and tells what was done since', async () => {
    await using api = await startFixtureApi({ sizes: [30, 5] });
    await using root = await temporaryFolder();
    const before = await take(api, root.path);
    const after = await compacted(root.path);
    const { layout, users, slices, totals, compaction, published_at, lock, ...kept } = after;
    expect(before).toMatchObject(kept);
    expect({ layout, totals }).toEqual({
      layout: 'per-date',
      totals: { ...before.totals, files: 2, bytes: totals.bytes },
    });
    expect(slices).toEqual(before.slices.map((slice) => ({ ...slice, files: [] })));
    const { entries } = await readLog(new LocalStorage(root.path));
    expect(entries.map(({ action, run_id }) => [action, run_id])).toEqual([
      ['publish', before.run_id],
      ['compact', before.run_id],
    ]);
    expect(compaction).toMatchObject({ layout: 'per-org', manifest_sha256: entries[0]?.manifest_sha256 });
    expect(users.files).toHaveLength(1);
    expect(Date.parse(published_at ?? '')).toBeGreaterThan(Date.parse(before.published_at ?? ''));
    expect(lock).toBe(2);
  });

  it('changes nothing where the files are laid out so already', async () => {
    await using api = await startFixtureApi({ sizes: [30, 5] });
    await using root = await temporaryFolder();
    await take(api, root.path, { layout: 'per-date' });
    const before = await dataOf(root.path);
    const storage = new LocalStorage(root.path);
    expect(await compact({ storage, runDate: RUN_DATE })).toMatchObject({ isChanged: false });
    expect(await dataOf(root.path)).toEqual(before);
    expect((await readLog(storage)).entries).toHaveLength(1);
  });

  it('leaves an incomplete snapshot incomplete', async () => {
    await using api = await startFixtureApi({ sizes: [20, 30] });
    await using root = await temporaryFolder();
    const [, failing] = api.organizations();
    api.fault({ match: { organizationUuid: String(failing?.uuid) }, do: { type: 'answer', status: 503 } });
    await take(api, root.path, { onOrgFailure: 'continue' });
    expect(await compacted(root.path)).toMatchObject({ status: 'incomplete', layout: 'per-date' });
    expect(await findings(root.path)).toEqual([]);
  });

  it('takes rows from files of the Parquet writer in JavaScript, and writes them as the other does', async () => {
    await using api = await startFixtureApi({ sizes: [30, 5] });
    await using root = await temporaryFolder();
    await take(api, join(root.path, 'js'), { sink: createSink('parquet-js') });
    await compacted(join(root.path, 'js'));
    await take(api, join(root.path, 'wasm'), {
      sink: createSink('parquet', { compression: 'snappy' }),
      layout: 'per-date',
    });
    const users = async (name: string) => dataOf(join(root.path, name, 'users'));
    expect(await users('js')).toEqual(await users('wasm'));
  });

  it('does not touch the unfinished dump of the same day', async () => {
    await using api = await startFixtureApi({ sizes: [20, 2500] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const [, second] = api.organizations();
    api.fault({
      match: { organizationUuid: String(second?.uuid), page: 2, times: 1 },
      do: { type: 'answer', status: 503 },
    });
    await expect(take(api, root.path, { rowsPerFile: 1000 })).rejects.toMatchObject({ exitCode: 75 });
    await compacted(root.path);
    const asked = api.requests.length;
    const manifest = await take(api, root.path, { rowsPerFile: 1000 });
    expect(api.requests.slice(asked).filter(({ organizationUuid }) => organizationUuid)).toHaveLength(1);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(manifest).toMatchObject({ layout: 'per-org', compaction: null });
    expect(await findings(root.path)).toEqual([]);
  });
});

describe('a compaction is refused, and nothing is changed,', () => {
  async function published(api: FixtureApi, root: string): Promise<Record<string, string>> {
    await take(api, root, { sink: createSink('csv') });
    return await dataOf(root);
  }

  it('where there is no snapshot: not even a folder is made', async () => {
    await using root = await temporaryFolder();
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'snapshot_missing', exitCode: 2 });
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each([
    [
      'changed',
      'file_differs',
      (path: string, text: string) => writeFile(path, text.replace('user_', 'USER_')),
    ],
    ['cut', 'file_differs', (path: string, text: string) => writeFile(path, text.slice(0, -9))],
    ['longer', 'file_differs', (path: string, text: string) => writeFile(path, `${text}a,b\r\n`)],
    ['missing', 'not_found', (path: string) => rm(path)],
  ] as const)('when a file is %s', async (_, code, damage) => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await published(api, root.path);
    const storage = new LocalStorage(root.path);
    const manifest = (await readManifest(storage, RUN_DATE)) as Manifest;
    const path = manifest.slices[1]?.files[0]?.path ?? '';
    await damage(join(root.path, path), await textOf(storage, path));
    const before = await dataOf(root.path);
    await expect(compacted(root.path)).rejects.toMatchObject({ code });
    expect(await dataOf(root.path)).toEqual(before);
    expect(await readManifest(storage, RUN_DATE)).toEqual(manifest);
  });

  it('when its manifest was changed since the log told of it, or files lie there that it does not list', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await published(api, root.path);
    const storage = new LocalStorage(root.path);
    const before = await dataOf(root.path);
    const [slice] = ((await readManifest(storage, RUN_DATE)) as Manifest).slices;
    const planted = join(
      root.path,
      'users',
      `run_date=${RUN_DATE}`,
      `org_uuid=${slice?.organization_uuid}`,
      'planted',
    );
    await writeFile(planted, 'x');
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'files_unknown' });
    await rm(planted);
    const path = join(root.path, `_runs/run_date=${RUN_DATE}/manifest.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rows": 30', '"rows": 29'));
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'manifest_differs' });
    expect(await dataOf(root.path)).toEqual(before);
  });

  it('when it holds no users', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await take(api, root.path, { streams: ['organizations'] });
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'nothing_to_compact', exitCode: 2 });
  });

  it('when it is stopped before anything is put in place, and no copy of the users stays', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    const stop = new AbortController();
    class Stopping extends LocalStorage {
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        if (key.startsWith('users/')) stop.abort();
        yield* super.read(key);
      }
    }
    const stopped = compacted(root.path, { storage: new Stopping(root.path), signal: stop.signal });
    await expect(stopped).rejects.toThrow('aborted');
    expect(await dataOf(root.path)).toEqual(before);
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
    expect(await findings(root.path)).toEqual([]);
  });

  it('when another run has published the day while the rows were moved', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using later = await startFixtureApi({ sizes: [31, 20] });
    await using root = await temporaryFolder();
    await published(api, root.path);
    class Overtaken extends LocalStorage {
      reads = 0; // one to see how the files are compressed, and one of each
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        yield* super.read(key);
        if (key.startsWith('users/') && ++this.reads === 3)
          await take(later, root.path, { sink: createSink('csv'), lock: false });
      }
    }
    // Where the other one does not find its staging.
    const options = { storage: new Overtaken(root.path), state: join(root.path, 'elsewhere') };
    const overtaken = compacted(root.path, options);
    await expect(overtaken).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    expect(await readManifest(new LocalStorage(root.path), RUN_DATE)).toMatchObject({
      status: 'complete',
      compaction: null,
      totals: { users: 51 },
    });
    expect(await findings(root.path)).toEqual([]);
  });

  it('while another run holds the day', async () => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    const before = await published(api, root.path);
    const storage = new LocalStorage(root.path);
    const lock = await acquireLock({ storage, runDate: RUN_DATE, runId: 'another', clock: systemClock });
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
    await lock.release();
    expect(await dataOf(root.path)).toEqual(before);
    await compacted(root.path);
  });

  it('when a dump was cut short while it published', async () => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    const cut = new CutShort(root.path);
    await expect(take(api, root.path, { storage: cut })).rejects.toThrow('cut');
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'publication_cut_short' });
    await take(api, root.path);
    expect(await compacted(root.path)).toMatchObject({ status: 'complete' });
  });
});

describe('a compaction that is cut short while it publishes', () => {
  async function cutShort(api: FixtureApi, root: string): Promise<void> {
    await take(api, root);
    const storage = new CutShort(root);
    await expect(compacted(root, { storage })).rejects.toThrow('cut');
    expect(await readManifest(storage, RUN_DATE)).toMatchObject({ status: 'publishing' });
  }

  it('is told by verify, and gone on with', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await cutShort(api, root.path);
    expect(await findings(root.path)).toMatchObject([
      { problem: 'status', detail: expect.stringContaining('run compact') },
    ]);
    const manifest = await compacted(root.path);
    expect(manifest).toMatchObject({ status: 'complete', layout: 'per-date' });
    expect(new Set(memberships(await rowsOf(root.path, manifest, 'users')))).toEqual(
      new Set(servedMemberships(api)),
    );
    expect(await findings(root.path)).toEqual([]);
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });

  it('is gone on with, and then undone, by one to the other layout', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await cutShort(api, root.path);
    const storage = new LocalStorage(root.path);
    const { manifest, isChanged } = await compact({ storage, runDate: RUN_DATE, layout: 'per-org' });
    expect(isChanged).toBe(true);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(await findings(root.path)).toEqual([]);
  });

  it('is undone, and made anew, where its staging was lost', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await cutShort(api, root.path);
    await rm(join(root.path, '_staging'), { recursive: true });
    const { manifest } = await compact({ storage: new LocalStorage(root.path), runDate: RUN_DATE });
    expect(manifest).toMatchObject({ status: 'complete', layout: 'per-date' });
    expect(new Set(memberships(await rowsOf(root.path, manifest, 'users')))).toEqual(
      new Set(servedMemberships(api)),
    );
    expect(await findings(root.path)).toEqual([]);
  });

  it('is ended where its staging was lost after all its files were in place', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    class Late extends LocalStorage {
      override async replaceFolder(folder: string, staged: StagedFolder): Promise<void> {
        await super.replaceFolder(folder, staged);
        throw new Error('cut');
      }
    }
    await expect(compacted(root.path, { storage: new Late(root.path) })).rejects.toThrow('cut');
    await rm(join(root.path, '_staging'), { recursive: true });
    const manifest = await compacted(root.path);
    expect(manifest).toMatchObject({ status: 'complete', layout: 'per-date' });
    expect(await findings(root.path)).toEqual([]);
  });

  it('is refused where its staging was lost and neither the old nor the new files are whole', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await cutShort(api, root.path);
    await rm(join(root.path, '_staging'), { recursive: true });
    const [file] = Object.keys(await dataOf(join(root.path)));
    await rm(join(root.path, file ?? ''));
    await expect(compacted(root.path)).rejects.toMatchObject({ code: 'publication_cut_short' });
    expect(await readManifest(new LocalStorage(root.path), RUN_DATE)).toMatchObject({ status: 'publishing' });
  });

  it('has its entry in the log made up for when only that was missing', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    class Unlogged extends LocalStorage {
      override create(key: string, bytes: Uint8Array): Promise<boolean> {
        return key.includes('/log/') ? Promise.reject(new Error('cut')) : super.create(key, bytes);
      }
    }
    await expect(compacted(root.path, { storage: new Unlogged(root.path) })).rejects.toThrow('cut');
    expect(await findings(root.path)).toMatchObject([{ problem: 'log' }]);
    expect(await compacted(root.path)).toMatchObject({ layout: 'per-date' });
    expect(await findings(root.path)).toEqual([]);
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });

  it('protects the complete snapshot that it found from an incomplete one, and a dump of the day replaces it', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await cutShort(api, root.path);
    const [first] = api.organizations();
    const rule = {
      match: { organizationUuid: String(first?.uuid), times: 1 },
      do: { type: 'answer', status: 503 },
    } as const;
    api.fault(rule);
    await expect(take(api, root.path, { onOrgFailure: 'continue' })).rejects.toMatchObject({
      code: 'incomplete_refused',
    });
    const manifest = await take(api, root.path, { fresh: true });
    expect(manifest).toMatchObject({ status: 'complete', layout: 'per-org', compaction: null });
    expect(await findings(root.path)).toEqual([]);
    expect(await readdir(join(root.path, '_staging'))).toEqual(['tmp']);
  });
});

describe('a dump that goes on after its day was compacted', () => {
  /** A dump of which the second place may be another storage. */
  const inTwoFormats = (api: FixtureApi, folder: string) => {
    const [first, second] = [join(folder, 'ndjson'), join(folder, 'csv')];
    const state = join(folder, 'state');
    const dump = (storage: Storage) =>
      take(api, first, { alsoTo: [{ sink: createSink('csv'), storage }], state });
    return { first, second, dump };
  };

  it('in one of its formats leaves that one as it is, and publishes the other', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using folder = await temporaryFolder();
    const { first, second, dump } = inTwoFormats(api, folder.path);
    await expect(dump(new CutShort(second))).rejects.toThrow('cut');
    const { manifest } = await compact({ storage: new LocalStorage(first), runDate: RUN_DATE });
    const asked = api.requests.length;
    await dump(new LocalStorage(second));
    expect(api.requests.slice(asked).filter(({ organizationUuid }) => organizationUuid)).toEqual([]);
    expect(await readManifest(new LocalStorage(first), RUN_DATE)).toEqual(manifest);
    expect(await findings(first)).toEqual([]);
    expect(await findings(second)).toEqual([]);
    expect(await readdir(join(folder.path, 'state'))).toEqual(['tmp']);
  });

  it('is refused while that compaction is cut short, and changes nothing', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using folder = await temporaryFolder();
    const { first, second, dump } = inTwoFormats(api, folder.path);
    await expect(dump(new CutShort(second))).rejects.toThrow('cut');
    await expect(compacted(first, { storage: new CutShort(first) })).rejects.toThrow('cut');
    await expect(dump(new LocalStorage(second))).rejects.toMatchObject({ code: 'publication_cut_short' });
    await compacted(first);
    await dump(new LocalStorage(second));
    expect(await findings(first)).toEqual([]);
    expect(await findings(second)).toEqual([]);
  });
});

it('moves every row of a snapshot whatever its parts', async () => {
  await using api = await startFixtureApi({ sizes: [2500, 10, 1700] });
  await using root = await temporaryFolder();
  await take(api, root.path, { rowsPerFile: 1000 });
  const manifest = await compacted(root.path, { rowsPerFile: 1500 });
  expect(manifest.users.files.map(({ rows }) => rows)).toEqual([1500, 1500, 1210]);
  const back = await compacted(root.path, { layout: 'per-org', rowsPerFile: 2000 });
  expect(manifestFiles(back).map(({ rows }) => rows)).toEqual([3, 2000, 500, 10, 1700]);
  expect(memberships(await rowsOf(root.path, back, 'users'))).toEqual(servedMemberships(api));
  expect(await findings(root.path)).toEqual([]);
});
