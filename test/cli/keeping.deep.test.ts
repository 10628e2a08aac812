import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, manifestSchema, systemClock } from '../../src/index.js';
import { acquireLease } from '../../src/lake/lease.js';
import { filesBelow } from '../run/support/tree.js';
import { environmentOf, run, say } from './command.js';

const DAYS = ['2020-01-01', '2020-01-02', '2020-01-03'];
const OTHER_RUN = '20200101T000000Z-0a0a0a0a';

let folder: string;
let out: string;
beforeAll(async () => {
  await using api = await startFixtureApi({ sizes: [3, 0, 1200] });
  folder = await mkdtemp(join(tmpdir(), 'keeping-'));
  for (const day of DAYS) {
    const flags = ['--out', join(folder, 'published'), '--run-date', day, '--progress', 'none'];
    expect(await say(['dump', ...flags], environmentOf(api))).toMatchObject({ code: 0, stderr: '' });
  }
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  out = await mkdtemp(join(folder, 'lake-'));
  await cp(join(folder, 'published'), out, { recursive: true });
});

describe('compact', () => {
  it('says what it did, and the second time that there was nothing to do', async () => {
    const [day = ''] = DAYS;
    const first = await run(['compact', '--out', out, '--run-date', day]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^2020-01-01: compacted to 2 files, [\d,]+ bytes\n$/);
    const before = await filesBelow(out);
    const second = await say(['compact', '--out', out, '--run-date', day]);
    expect(second).toEqual({ code: 0, stderr: '', stdout: '2020-01-01: compacted already, nothing to do\n' });
    expect(await filesBelow(out)).toEqual(before);
    expect(await readdir(join(out, 'users', `run_date=${day}`))).toEqual([
      expect.stringMatching(/^part-00000-\d{8}T\d{6}Z-[0-9a-f]{8}\.parquet$/),
    ]);
  });

  it('prints its plan with --dry-run, and changes nothing', async () => {
    const before = await filesBelow(out);
    const flags = ['--out', out, '--run-date', DAYS[0] ?? '', '--dry-run'];
    const { code, stdout } = await say(['compact', ...flags]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^2020-01-01: users would be combined: 2 files, [\d,]+ bytes, 1,203 rows\nNothing was changed\.\n$/,
    );
    const { plan } = JSON.parse((await say(['compact', ...flags, '--json'])).stdout);
    expect(plan).toEqual({
      run_date: '2020-01-01',
      tables: [{ table: 'users', files: 2, rows: 1203, bytes: expect.any(Number) }],
    });
    expect(await filesBelow(out)).toEqual(before);
  });

  it('prints the plan and the manifest as JSON', async () => {
    const { stdout } = await say(['compact', '--out', out, '--run-date', DAYS[0] ?? '', '--json']);
    const { plan, manifest } = JSON.parse(stdout);
    expect(plan.tables).toMatchObject([{ table: 'users', files: 2 }]);
    expect(manifestSchema.parse(manifest)).toMatchObject({
      status: 'complete',
      tables: { users: { layout: 'per-date', rows: 1203, files: [{ rows: 1203 }] } },
    });
  });

  it.each([
    ['without a date', [], '--run-date'],
    ['for a date that is none', ['--run-date', '2020-02-30'], '--run-date'],
    ['for a date without a snapshot', ['--run-date', '2020-01-04'], 'There is no snapshot of 2020-01-04'],
  ])('%s ends with 2, and names what is wrong', async (_, flags, named) => {
    const { code, stderr } = await say(['compact', '--out', out, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('    at ');
  });

  it('ends with 75 while another run holds the day', async () => {
    const lease = await acquireLease({
      storage: new LocalStorage(out),
      runDate: DAYS[0] ?? '',
      runId: OTHER_RUN,
      clock: systemClock,
    });
    const { code, stderr } = await say(['compact', '--out', out, '--run-date', DAYS[0] ?? '']);
    await lease.release();
    expect(code).toBe(75);
    expect(stderr).toContain('[locked]');
  });
});

describe('prune', () => {
  it('says what it would remove, then removes it, and then has nothing to do', async () => {
    const dry = await say(['prune', '--out', out, '--keep-days', '30', '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(
      /^2020-01-01: would be pruned, 3 files, [\d,]+ bytes\n2020-01-02: would be pruned, /,
    );
    expect(dry.stdout).toMatch(
      /\n2020-01-03: kept: newest \(organizations, users\)\n2 snapshots would be pruned, 1 kept\. Nothing was removed\.\n$/,
    );
    expect(await readdir(join(out, 'users'))).toHaveLength(3);
    const real = await run(['prune', '--out', out, '--keep-days', '30']);
    expect(real).toMatchObject({ code: 0, stderr: '' });
    expect(real.stdout).toMatch(
      /^2020-01-01: pruned, 3 files, [\d,]+ bytes\n2020-01-02: pruned, .*\n2 snapshots pruned, 1 kept\.\n$/,
    );
    expect(await readdir(join(out, 'users'))).toEqual(['run_date=2020-01-03']);
    const again = await say(['prune', '--out', out, '--keep-days', '30']);
    expect(again.stdout).toBe('0 snapshots pruned, 1 kept.\n');
    const verified = await say(['verify', '--out', out, '--all']);
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/2020-01-01: pruned, read on [\d-]{10}, run \S+, 0 files/),
    });
  });

  it('prints what it did as JSON', async () => {
    const { stdout } = await say(['prune', '--out', out, '--keep-days', '1', '--json']);
    const { pruned, kept, failed } = JSON.parse(stdout);
    expect(failed).toEqual([]);
    expect(pruned.map((dated: object) => Object.keys(dated))).toEqual([
      ['run_date', 'files', 'bytes'],
      ['run_date', 'files', 'bytes'],
    ]);
    const newest = { rule: 'newest', detail: 'organizations, users' };
    expect(kept).toMatchObject([{ run_date: '2020-01-03', files: 3, reasons: [newest] }]);
  });

  it('ends with 75 when a day is held by another run, after it has pruned the rest', async () => {
    const lease = await acquireLease({
      storage: new LocalStorage(out),
      runDate: DAYS[0] ?? '',
      runId: OTHER_RUN,
      clock: systemClock,
    });
    const { code, stdout } = await say(['prune', '--out', out, '--keep-days', '1']);
    await lease.release();
    expect(code).toBe(75);
    expect(stdout).toMatch(
      /^2020-01-01: not pruned\. Run 20200101T000000Z-0a0a0a0a \(pid \d+ on .*\) holds the lock.*\n2020-01-02: pruned, .*\n1 snapshot pruned, 2 kept\.\n$/,
    );
  });

  it('plans with every rule: each day that is kept has its reasons', async () => {
    const rules = ['--keep-daily', '1', '--keep-weekly', '2', '--keep-monthly', '3', '--keep-yearly', '4'];
    const { stdout } = await say(['prune', '--out', out, ...rules, '--dry-run']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^2020-01-01: would be pruned, /),
      expect.stringMatching(/^2020-01-02: would be pruned, /),
      '2020-01-03: kept: daily (1 of 1), weekly (1 of 2), monthly (1 of 3), yearly (1 of 4), newest (organizations, users)',
      '2 snapshots would be pruned, 1 kept. Nothing was removed.',
      '',
    ]);
  });

  it.each([
    [[]],
    [['--keep-days', '0']],
    [['--keep-days', 'all']],
    [['--keep-daily', '0', '--keep-days', 'x']],
  ])('ends with 2 with the flags %j', async (flags) => {
    const { code, stderr } = await say(['prune', '--out', out, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain('--keep-days');
    if (flags.length === 0) expect(stderr).toContain('[keep_missing]');
    expect(await readdir(join(out, 'users'))).toHaveLength(3);
  });
});
