import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
import { COMMAND } from '../cli/command.js';
import { SPARK_ENVIRONMENT, spark } from '../python/spark.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { LAKE } from './machine.js';

const pyspark = await spark();
if ('missing' in pyspark) console.log(`not run: the lake on Spark: ${pyspark.missing}`);

const STREAMS = ['organizations', 'users', 'roles'];

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** The program of the lake, run as often as it is asked to. */
interface Program extends AsyncDisposable {
  run(...args: string[]): Promise<Ended>;
  /** Another command is run when the program has read the manifests. */
  runWith(afterwards: readonly string[], ...args: string[]): Promise<Ended>;
}

function startProgram(python: string): Program {
  const script = join(import.meta.dirname, 'run_lake.py');
  const env = { ...process.env, ...SPARK_ENVIRONMENT, PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(python, [script, join(LAKE, 'spark/lake.py')], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  const ask = async (asked: object): Promise<Ended> => {
    child.stdin.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error('The process that runs the program ended.');
    return JSON.parse(value) as Ended;
  };
  return {
    run: (...args) => ask({ args }),
    runWith: (afterwards, ...args) => ask({ args, afterwards }),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exit;
    },
  };
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

/** The files of a table that some manifests name, for DuckDB. */
const list = (root: string, manifests: readonly Manifest[], table: string): string =>
  manifests
    .flatMap(manifestFiles)
    .filter((file) => file.table === table)
    .map(({ path }) => `'${join(root, path)}'`)
    .join(', ');

describe.skipIf('missing' in pyspark)('a root of several dates and both layouts on Spark', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let api: FixtureApi;
  let root: string;
  let compacted: string;
  let complete: Manifest[];
  let program: Program;

  beforeAll(async () => {
    program = startProgram('python' in pyspark ? pyspark.python : '');
    folder = await temporaryFolder();
    root = join(folder.path, 'root');
    compacted = join(folder.path, 'compacted');
    api = await startFixtureApi({ sizes: [3, 0, 1200, 20], awkward: true });
    const snapshotOf = (runDate: string, more = {}) =>
      take(api, root, { sink: createSink('parquet'), runDate, rowsPerFile: 1000, streams: STREAMS, ...more });
    const [first, second] = api.organizations().map(({ uuid }) => String(uuid));
    await snapshotOf('2024-11-23');
    const before = await snapshotOf('2025-11-23');
    api.insertUser(String(second));
    await snapshotOf('2026-11-20');
    // One day is stored by organisation, and one is combined.
    const storage = new LocalStorage(root);
    const { manifest: after } = await compact({ storage, runDate: '2026-11-20', rowsPerFile: 1000 });
    complete = [before, after];
    const clock = { ...systemClock, now: () => Date.parse('2025-11-23') };
    await prune({ storage, keepDays: 1, clock });
    // None of these is a complete snapshot.
    await snapshotOf('2026-11-21', { org: [String(first)] });
    api.fault({ match: { organizationUuid: String(first) }, do: { type: 'answer', status: 500 } });
    await snapshotOf('2026-11-22', { onOrgFailure: 'continue' });
    // And this is a file that no manifest names.
    const [listed] = manifestFiles(after).filter(({ table }) => table === 'users');
    await copyFile(
      join(root, String(listed?.path)),
      join(root, String(listed?.path).replace('part-', 'stray-')),
    );
  });
  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  it('counts as DuckDB counts the files of the manifests, and reports what it left out', async () => {
    expect(complete.map(({ tables }) => tables.users?.layout)).toEqual(['per-parent', 'per-date']);
    const { code, stdout, stderr } = await program.run('count', '--root', root);
    expect(code).toBe(0);
    const reported = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { stream: string; rows: number });
    for (const stream of STREAMS) {
      const parent = stream === 'organizations' ? '' : 'organization_uuid, ';
      const counted = await query(
        `SELECT CAST(snapshot_date AS VARCHAR) AS run_date, '${stream}' AS stream, ${parent}CAST(count(*) AS INTEGER) AS rows
         FROM read_parquet([${list(root, complete, stream)}], hive_partitioning = false) GROUP BY ALL ORDER BY ALL`,
      );
      expect(reported.filter((line) => line.stream === stream && line.rows > 0)).toEqual(counted);
    }
    const slices = complete.flatMap(({ tables }) => Object.values(tables).flatMap((table) => table.slices));
    expect(reported).toHaveLength(slices.length);
    expect(stderr.match(/left out: .*/g)?.sort()).toEqual([
      'left out: 2024-11-23 is pruned',
      'left out: 2026-11-21 is scoped',
      'left out: 2026-11-22 is incomplete',
    ]);
  });

  it('compacts into one sorted file a date, whose rows are those of the manifests', async () => {
    expect(await program.run('compact', '--root', root, '--out', compacted)).toMatchObject({ code: 0 });
    for (const [table, order] of [
      ['users', 'organization_uuid, id'],
      ['organizations', 'uuid'],
      ['roles', 'organization_uuid, id'],
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
    expect(snapshots.map((made: { run_id: string }) => made.run_id)).toEqual(
      complete.map(({ written }) => written.run_id),
    );
  });

  it('is refused, to be tried again, when a run replaces a day while it is read', async () => {
    const replaced = join(folder.path, 'replaced');
    const compacting = [process.execPath, COMMAND, 'compact', '--out', replaced, '--run-date', '2025-11-23'];
    for (const args of [['count'], ['compact', '--out', join(folder.path, 'never')]]) {
      await rm(replaced, { recursive: true, force: true });
      await cp(root, replaced, { recursive: true });
      const { code, stdout, stderr } = await program.runWith(compacting, ...args, '--root', replaced);
      expect([code, stdout]).toEqual([75, '']);
      expect(stderr).toContain('A run published while the files were read.');
    }
  });

  it('is refused when a file is not the one that its manifest names', async () => {
    const [large, small] = [1000, 20].map((rows) =>
      manifestFiles(complete[0] as Manifest).find((file) => file.table === 'users' && file.rows === rows),
    );
    await copyFile(join(root, String(small?.path)), join(root, String(large?.path)));
    const { code, stdout, stderr } = await program.run('count', '--root', root);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`figures of ${root}/users are not those of the manifests`);
  });

  it('is not compacted over something that is there', async () => {
    const { code, stderr } = await program.run('compact', '--root', root, '--out', compacted);
    expect([code, stderr]).toEqual([2, expect.stringContaining('exists already')]);
  });
});
