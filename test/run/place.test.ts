import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  type FinishedFile,
  LocalStorage,
  readManifest,
  type Storage,
  snapshot,
  verify,
} from '../../src/index.js';
import {
  clientOf,
  dataBelow,
  filesBelow,
  RUN_DATE,
  stagedRuns,
  take,
  temporaryFolder,
} from './support/tree.js';

describe('a root', () => {
  it('that is no folder gets a clear error', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await writeFile(join(root.path, 'file'), 'mine');
    const run = take(api, join(root.path, 'file'));
    await expect(run).rejects.toMatchObject({ name: 'StorageError', exitCode: 2 });
    expect(await readFile(join(root.path, 'file'), 'utf8')).toBe('mine');
  });

  it('that cannot be reached from staged runs on another disk is refused before anything is asked of the API', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const other = '/dev/shm'; // a disk of its own on Linux
    const deviceOf = (path: string) =>
      stat(path).then(
        ({ dev }) => dev,
        () => undefined,
      );
    const elsewhere = await deviceOf(other);
    if (elsewhere === undefined || elsewhere === (await deviceOf(root.path))) {
      console.log('not run: there is no second disk on this machine');
      return;
    }
    const state = join(other, `compliance-${process.pid}`);
    try {
      const run = take(api, root.path, { state });
      await expect(run).rejects.toMatchObject({ code: 'state_on_another_disk', exitCode: 2 });
    } finally {
      await rm(state, { recursive: true, force: true });
    }
    expect(api.requests).toEqual([]);
    expect(await filesBelow(root.path)).toEqual({});
  });

  it('is for its owner only, and for others as far as the file mode says, from the data to the log', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using folder = await temporaryFolder();
    const modesOf = async (root: string) => {
      const { run_id: run } = await take(api, root, {
        storage: new LocalStorage(root, root.endsWith('shared') ? { fileMode: 0o640 } : {}),
      });
      const paths = [
        '.',
        'organizations',
        `organizations/run_date=${RUN_DATE}`,
        '_runs',
        '_runs/log',
        `_runs/run_date=${RUN_DATE}`,
        `organizations/run_date=${RUN_DATE}/part-00000-${run}.ndjson`,
        `_runs/run_date=${RUN_DATE}/${run}.json`,
        `_runs/run_date=${RUN_DATE}/manifest.json`,
        '_runs/log/00000001.json',
        '_runs/dataset.json',
      ];
      const modes = paths.map(async (path) => ((await stat(join(root, path))).mode & 0o777).toString(8));
      return await Promise.all(modes);
    };
    const modes = (folders: string, files: string) => [...Array(6).fill(folders), ...Array(5).fill(files)];
    expect(await modesOf(join(folder.path, 'own'))).toEqual(modes('700', '600'));
    expect(await modesOf(join(folder.path, 'shared'))).toEqual(modes('750', '640'));
  });
});

describe('a run that is aborted while it publishes', () => {
  it('stops at once and leaves nothing behind, and the next one resumes without the API', async () => {
    await using api = await startFixtureApi({ sizes: [5, 6] });
    await using root = await temporaryFolder();
    const aborting = new AbortController();
    class Aborted extends LocalStorage {
      override async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
        await super.put(files.slice(0, 1), signal);
        aborting.abort(new Error('ended'));
        await super.put(files.slice(1), signal);
      }
    }
    const aborted = take(api, root.path, { storage: new Aborted(root.path), signal: aborting.signal });
    await expect(aborted).rejects.toThrow('ended');
    expect(await dataBelow(root.path)).toEqual({});
    const asked = api.requests.length;
    const manifest = await take(api, root.path);
    expect(manifest).toMatchObject({ status: 'complete', tables: { users: { rows: 11 } } });
    expect(api.requests).toHaveLength(asked);
  });
});

describe('a dump to two roots that ends after it has published to the first', () => {
  /** A root that takes no files. */
  class Down extends LocalStorage {
    override put = () => Promise.reject(new Error('down'));
  }
  const findings = async (root: string) => (await verify({ storage: new LocalStorage(root) })).findings;

  it.each(['', ', also when that was compacted meanwhile'])(
    'publishes to the second only when it is resumed%s',
    async (compacted) => {
      await using api = await startFixtureApi({ sizes: [30, 20] });
      await using folder = await temporaryFolder();
      const [first, second] = [join(folder.path, 'ndjson'), join(folder.path, 'csv')];
      const state = join(folder.path, 'state');
      const dump = async (storage: Storage) => {
        await using client = clientOf(api);
        return await snapshot({
          client,
          sink: createSink('ndjson'),
          storage: new LocalStorage(first),
          alsoTo: [{ sink: createSink('csv'), storage }],
          state,
          runDate: RUN_DATE,
          backDated: true,
          streams: ['organizations', 'users'],
        });
      };
      await expect(dump(new Down(second))).rejects.toThrow('down');
      const storage = new LocalStorage(first);
      if (compacted) await compact({ storage, runDate: RUN_DATE });
      const published = await readManifest(storage, RUN_DATE);
      const asked = api.requests.length;
      const manifests = await dump(new LocalStorage(second));
      expect(api.requests).toHaveLength(asked);
      expect(manifests[0]).toEqual(published);
      expect(manifests[1]?.attempts).toEqual([...(published?.attempts ?? []), manifests[1]?.run_id]);
      expect([await findings(first), await findings(second)]).toEqual([[], []]);
      expect(await stagedRuns(join(state, '_staging'))).toEqual([]);
    },
  );
});
