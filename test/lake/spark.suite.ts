import { execFile } from 'node:child_process';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  type Manifest,
  manifestFiles,
  prune,
  systemClock,
} from '../../src/index.js';
import { venv } from '../python/venv.js';
import { take, temporaryFolder } from '../snapshot/tree.js';
import { LAKE } from './machine.js';

const execute = promisify(execFile);

async function reasonNotToRun(): Promise<string | undefined> {
  if ('missing' in pyspark) return pyspark.missing;
  const { stderr = '' } = await execute('java', ['-version']).catch(() => ({ stderr: '' }));
  const [, version = 0] = /version "(\d+)/.exec(stderr) ?? [];
  return Number(version) >= 17 ? undefined : 'Java 17 or newer is missing (no such java on the PATH)';
}

const pyspark = await venv('spark', ['pyspark==4.3.0']);
const missing = await reasonNotToRun();
if (missing !== undefined) console.log(`not run: the lake on Spark: ${missing}`);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function spark(...args: string[]): Promise<Ended> {
  const python = 'python' in pyspark ? pyspark.python : '';
  const env = { ...process.env, SPARK_LOCAL_IP: '127.0.0.1', PYTHONDONTWRITEBYTECODE: '1' };
  const running = execute(python, [join(LAKE, 'spark/lake.py'), ...args], { env });
  return await running.then(
    (ended) => ({ code: 0, ...ended }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The files of a table that some manifests list, for DuckDB. */
const list = (root: string, manifests: readonly Manifest[], table: string): string =>
  manifests
    .flatMap(manifestFiles)
    .filter((file) => file.table === table)
    .map(({ path }) => `'${join(root, path)}'`)
    .join(', ');

describe.skipIf(missing !== undefined)('a root of several dates and both layouts on Spark', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let api: FixtureApi;
  let root: string;
  let compacted: string;
  let complete: Manifest[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    root = join(folder.path, 'root');
    compacted = join(folder.path, 'compacted');
    api = await startFixtureApi({ sizes: [3, 0, 1200, 20], awkward: true });
    const snapshotOf = (runDate: string, more = {}) =>
      take(api, root, { sink: createSink('parquet'), runDate, rowsPerFile: 1000, ...more });
    const [first, second] = api.organizations().map(({ uuid }) => String(uuid));
    await snapshotOf('2024-11-23');
    const before = await snapshotOf('2025-11-23');
    api.insertUser(String(second));
    await snapshotOf('2026-11-20');
    // One day lies by organisation, and one together.
    const storage = new LocalStorage(root);
    const { manifest: after } = await compact({ storage, runDate: '2026-11-20', rowsPerFile: 1000 });
    complete = [before, after];
    const clock = { ...systemClock, now: () => Date.parse('2025-11-23') };
    await prune({ storage, keepDays: 1, clock });
    // None of these is a complete snapshot of everything.
    await snapshotOf('2026-11-21', { org: [String(first)] });
    api.fault({ match: { organizationUuid: String(first) }, do: { type: 'answer', status: 500 } });
    await snapshotOf('2026-11-22', { onOrgFailure: 'continue' });
    // And this is a file that no manifest lists.
    const [listed] = manifestFiles(after).filter(({ table }) => table === 'users');
    await copyFile(
      join(root, String(listed?.path)),
      join(root, String(listed?.path).replace('part-', 'stray-')),
    );
  });
  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  it('counts as DuckDB counts the files of the manifests, and tells what it left out', async () => {
    expect(complete.map(({ layout }) => layout)).toEqual(['per-org', 'per-date']);
    const { code, stdout, stderr } = await spark('count', '--root', root);
    expect(code).toBe(0);
    const counted = await query(
      `SELECT CAST(snapshot_date AS VARCHAR) AS run_date, organization_uuid, CAST(count(*) AS INTEGER) AS users
       FROM read_parquet([${list(root, complete, 'users')}], hive_partitioning = false) GROUP BY ALL ORDER BY ALL`,
    );
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { users: number });
    expect(told.filter(({ users }) => users > 0)).toEqual(counted);
    expect(told).toHaveLength(complete.flatMap(({ slices }) => slices).length);
    expect(stderr.match(/left out: .*/g)?.sort()).toEqual([
      'left out: 2024-11-23 is pruned',
      'left out: 2026-11-21 is of a narrower scope',
      'left out: 2026-11-22 is incomplete',
    ]);
  });

  it('compacts into one sorted file a date, whose rows are those of the manifests', async () => {
    expect(await spark('compact', '--root', root, '--out', compacted)).toMatchObject({ code: 0 });
    for (const [table, order] of [
      ['users', 'organization_uuid, id'],
      ['organizations', 'uuid'],
    ]) {
      const [old, now] = [
        `SELECT * FROM read_parquet([${list(root, complete, String(table))}], hive_partitioning = false)`,
        `SELECT * FROM read_parquet('${compacted}/${table}/*/*.parquet', hive_partitioning = false)`,
      ];
      expect(await query(`(${old} EXCEPT ALL ${now}) UNION ALL (${now} EXCEPT ALL ${old})`)).toEqual([]);
      for (const { run_date } of complete) {
        const day = join(compacted, String(table), `run_date=${run_date}`);
        const [file, ...more] = (await readdir(day)).filter((name) => name.endsWith('.parquet'));
        expect(more).toEqual([]);
        const rows = `SELECT ${order} FROM read_parquet('${day}/${file}', hive_partitioning = false)`;
        const read = await query(rows);
        expect(read).toEqual(await query(`${rows} ORDER BY ${order}`));
        expect(read.length).toBeGreaterThan(0);
      }
    }
    const { snapshots } = JSON.parse(await readFile(join(compacted, '_snapshots.json'), 'utf8'));
    expect(snapshots.map(({ run_id }: Manifest) => run_id)).toEqual(complete.map(({ run_id }) => run_id));
  });

  it('is refused when a file is not what its manifest tells of', async () => {
    const [large, small] = [1000, 20].map((rows) =>
      manifestFiles(complete[0] as Manifest).find((file) => file.rows === rows),
    );
    await copyFile(join(root, String(small?.path)), join(root, String(large?.path)));
    const { code, stdout, stderr } = await spark('count', '--root', root);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`figures of ${root}/users are not the manifests'`);
  });

  it('is not compacted over something that is there', async () => {
    const { code, stderr } = await spark('compact', '--root', root, '--out', compacted);
    expect([code, stderr]).toEqual([2, expect.stringContaining('is there already')]);
  });
});
