import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { manifestFiles, readLog, type Storage, streams } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { expectedOf } from '../sinks/expected.js';
import { inOrder } from '../streams/support/expected.js';
import { queriedRows } from '../streams/support/stored.js';
import {
  type CommandLine,
  commandLine,
  currentManifest,
  dumpFlags,
  type Place,
  type Printed,
  published,
  RUN_DATE,
  served,
} from './dump-place.js';
import { listing } from './objects.js';

/** Of users; the first organisation has none. */
const SIZES = [0, 1, 1000, 2500];
/** Both are old enough to be pruned. */
const [OLD, NEW] = ['2026-01-01', '2026-01-02'];
const RUN = '\\d{8}T\\d{6}Z-[0-9a-f]{8}';

/** What the commands do with a root, from its first dump to the load of a warehouse, at any place. */
export function dumpContract(place: Place): void {
  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let home: string;
  let root: string;
  let storage: Storage;
  let commands: CommandLine;
  beforeEach(async () => {
    api = await startFixtureApi({ sizes: SIZES });
    folder = await temporaryFolder();
    home = folder.path;
    root = place.newRoot();
    storage = await place.open(root);
    commands = commandLine(place);
  });
  afterEach(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  const run = (command: string, ...flags: string[]): Promise<Printed> =>
    commands.run(command, flags, { home, api });
  const succeed = async (command: string, ...flags: string[]): Promise<string> => {
    const { code, text } = await run(command, ...flags);
    expect([code, text], command).toEqual([0, text]);
    return text;
  };
  const dump = (runDate?: string): Promise<string> => succeed('dump', ...dumpFlags(root, runDate));
  const verify = (...flags: string[]): Promise<string> => succeed('verify', '--out', root, '--all', ...flags);
  const keys = async (of: string): Promise<string[]> => Object.keys(await listing(storage, of));
  /** The files of all tables, and those that the current manifests name. */
  const expectOnlyReferenced = async (...runDates: string[]): Promise<void> => {
    const found: string[] = [];
    for (const { name } of streams) found.push(...(await keys(name)));
    const referenced: string[] = [];
    for (const runDate of runDates)
      referenced.push(...manifestFiles(await currentManifest(storage, runDate)).map(({ path }) => path));
    expect(found.sort()).toEqual(referenced.sort());
  };
  const unpublished = async (): Promise<string[]> =>
    (await readdir(home, { recursive: true })).filter((path) => path.endsWith('.ndjson'));

  describe('a dump of every stream', () => {
    it('holds what was served and verifies, and its staged run is removed', async () => {
      const text = await dump();
      expect(await published(storage)).toEqual(served(api));
      const [, head = ''] = /log head (\S+)/.exec(text) ?? [];
      expect(await verify('--expect', head)).toContain(`log head ${head}`);
      await expectOnlyReferenced(RUN_DATE);
      expect(await unpublished()).toEqual([]);
    });

    it('leaves its manifest, a copy of it and one log entry', async () => {
      await dump();
      const { written } = await currentManifest(storage);
      const control = (await keys('_runs')).filter((key) => key !== '_runs/probe.json');
      expect(control).toEqual([
        '_runs/dataset.json',
        '_runs/log/00000001.json',
        `_runs/run_date=${RUN_DATE}/${written.run_id}.json`,
        `_runs/run_date=${RUN_DATE}/manifest.json`,
      ]);
      expect(written.run_id).toMatch(new RegExp(`^${RUN}$`));
    });

    it('replaces the one of the same date, also where an organisation has gone and a user has come', async () => {
      await dump();
      const before = await currentManifest(storage);
      api.unlink(uuidOf(1));
      api.insertUser(uuidOf(0));
      await dump();
      expect(await published(storage)).toEqual(served(api));
      await expectOnlyReferenced(RUN_DATE);
      const [first, second] = await readLog(storage);
      expect(second?.entry?.replaces).toBe(first?.entry?.run_id);
      expect(await keys(`_runs/run_date=${RUN_DATE}`)).toContain(
        `_runs/run_date=${RUN_DATE}/${before.run_id}.json`,
      );
      await verify();
    });
  });

  describe('a published day', () => {
    it('is compacted: the same rows, one file a table', async () => {
      await dump();
      await succeed('compact', '--out', root, '--run-date', RUN_DATE);
      expect(await published(storage)).toEqual(served(api));
      await expectOnlyReferenced(RUN_DATE);
      for (const { name } of streams) expect(await keys(name), name).toHaveLength(1);
      expect(await unpublished()).toEqual([]);
      await verify();
      expect(await succeed('compact', '--out', root, '--run-date', RUN_DATE)).toContain('nothing to do');
    });

    it('is pruned: its files are gone, its manifest is kept, and another day is as it was', async () => {
      for (const runDate of [OLD, NEW]) await dump(runDate);
      const pruned = await succeed('prune', '--out', root, '--keep-days', '1', '--json');
      expect(JSON.parse(pruned)).toMatchObject({ pruned: [{ run_date: OLD }], kept: [{ run_date: NEW }] });
      expect(await currentManifest(storage, OLD)).toMatchObject({ status: 'pruned' });
      await expectOnlyReferenced(OLD, NEW);
      expect(await published(storage, NEW)).toEqual(served(api, NEW));
      await verify();
      const { snapshots } = JSON.parse(await succeed('snapshots', '--out', root, '--json'));
      expect(snapshots).toMatchObject([
        { run_date: OLD, status: 'pruned', files: 0, is_back_dated: true },
        { run_date: NEW, streams: streams.map(({ name }) => ({ stream: name, change: 0, since: OLD })) },
      ]);
    });

    it('is compared with the day before, and reviewed', async () => {
      await dump(OLD);
      api.insertUser(uuidOf(0));
      api.unlink(uuidOf(1));
      await dump(NEW);
      const changes = await succeed('diff', '--out', root, '--output', '-', '--format', 'ndjson');
      const of = (name: string) => {
        const rows = changes.split('\n').filter((line) => line.includes(`"stream":"${name}"`));
        return rows.map((line) => JSON.parse(line)).map(({ change, reason }) => [change, reason]);
      };
      expect(of('organizations')).toEqual([['removed', null]]);
      expect(of('users')).toEqual(
        expect.arrayContaining([
          ['added', null],
          ['removed', 'list_removed'],
        ]),
      );
      expect(of('users')).toHaveLength(2);
      const review = await succeed('review', '--root', root, '--out', join(home, 'pack'));
      expect(review).toContain(`access review as of ${NEW}`);
      expect(review).toContain(`changes since ${OLD}`);
    });

    it('is loaded into DuckDB, with every value', async () => {
      await dump();
      const database = join(home, 'compliance.duckdb');
      await succeed('load', 'duckdb', '--from', root, '--database', database, '--progress', 'none');
      for (const stream of streams) {
        const rows = await queriedRows(stream, `${stream.name}_current`, { database });
        const expected = served(api)[stream.name] ?? [];
        expect(inOrder(stream, rows), stream.name).toEqual(
          expected.map((row) => expectedOf(row as never, stream.schema, 'parquet')),
        );
      }
    });
  });

  const uuidOf = (index: number): string => String(api.organizations()[index]?.uuid);
}
