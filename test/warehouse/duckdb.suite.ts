import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { claudeCompliance } from './support/command.js';
import { query } from './support/duckdb-file.js';
import { DAYS, NEWEST_COMPLETE, shuffled, takeThirtyDays } from './support/thirty-days.js';

const COMMAND = resolve(import.meta.dirname, '../../connectors/cli/main.ts');
const RUN_DATE = '2026-11-23';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(async () => await folder[Symbol.asyncDispose]());

const flags = (database: string, root: string, runDate: string): string[] => [
  ...['load', 'duckdb', '--database', database, '--from', root, '--run-date', runDate],
  ...['--state', join(folder.path, 'state'), '--allow-incomplete'],
];
const mkfifo = (path: string) => promisify(execFile)('mkfifo', [path]);
const spawnLoad = (database: string, root: string) =>
  spawn(process.execPath, ['--import', 'tsx', COMMAND, ...flags(database, root, RUN_DATE)], {
    stdio: 'ignore',
  });

describe('load duckdb', () => {
  it('gives the same for thirty days in order and out of order, one of them incomplete', async () => {
    const root = join(folder.path, 'thirty');
    const rows = await takeThirtyDays(root);
    for (const [name, days] of Object.entries({ ordered: DAYS, shuffled: shuffled(DAYS) })) {
      const database = join(folder.path, `${name}.duckdb`);
      for (const runDate of days) {
        const { exitCode } = await claudeCompliance(flags(database, root, runDate));
        expect(exitCode).toBe(runDate === DAYS.at(-1) ? 1 : 0);
      }
      const landed = await query(
        database,
        'SELECT snapshot_date, count(*) AS n FROM users_snapshot GROUP BY ALL',
      );
      expect(Object.fromEntries(landed.map(({ snapshot_date, n }) => [snapshot_date, Number(n)]))).toEqual(
        rows,
      );
      expect(await query(database, 'SELECT DISTINCT snapshot_date FROM users_current')).toEqual([
        { snapshot_date: NEWEST_COMPLETE },
      ]);
    }
    expect(new Set(shuffled(DAYS)).size).toBe(30);
  });

  it('keeps the old rows when it is killed with all of the new ones inserted', async () => {
    const [oldApi, newApi] = [
      await startFixtureApi({ sizes: [5] }),
      await startFixtureApi({ sizes: [50_000] }),
    ];
    const [root, newRoot] = [join(folder.path, 'old'), join(folder.path, 'new')];
    await take(oldApi, root);
    const newManifest = await take(newApi, newRoot);
    await Promise.all([oldApi.close(), newApi.close()]);
    const database = join(folder.path, 'killed.duckdb');
    await claudeCompliance(flags(database, root, RUN_DATE));

    // A load reads the log, then the manifest, and before it commits what was added to the log: pipes in the place of
    // the last two show when that is.
    const path = join(newRoot, `_runs/run_date=${RUN_DATE}/${newManifest.run_id}.json`);
    const manifest = await readFile(path);
    await rm(path);
    await mkfifo(path);
    const loading = spawnLoad(database, newRoot);
    const first = await open(path, 'w');
    const next = join(newRoot, '_runs/log/00000002.json');
    await mkfifo(next);
    await first.writeFile(manifest);
    await first.close();
    const second = await open(next, 'w');
    loading.kill('SIGKILL');
    await once(loading, 'exit');
    await second.close();

    expect(await query(database, 'SELECT count(*) AS n FROM users_snapshot')).toEqual([{ n: '5' }]);
    expect(await query(database, "SELECT row_count FROM snapshots WHERE stream = 'users'")).toEqual([
      { row_count: '5' },
    ]);
  });

  it('holds no row twice when two load at once: each succeeds or says to try later', async () => {
    const api = await startFixtureApi({ sizes: [10] });
    const root = join(folder.path, 'two');
    await take(api, root);
    await api.close();
    const database = join(folder.path, 'two.duckdb');
    await claudeCompliance(flags(database, root, RUN_DATE));
    const both = [spawnLoad(database, root), spawnLoad(database, root)];
    const codes = await Promise.all(both.map(async (child) => (await once(child, 'exit'))[0] as number));
    expect(codes).toContain(0);
    expect(codes.every((code) => code === 0 || code === 75)).toBe(true);
    expect(await query(database, 'SELECT count(*) AS n FROM users_snapshot')).toEqual([{ n: '10' }]);
    expect(await query(database, 'SELECT count(*) AS n FROM snapshots')).toEqual([{ n: '2' }]);
  });
});
