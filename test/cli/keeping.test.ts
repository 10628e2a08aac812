import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, systemClock } from '../../src/index.js';
import { acquireLock } from '../../src/snapshot/lock.js';
import { environmentOf, run, say } from './command.js';

const DAYS = ['2020-01-01', '2020-01-02', '2020-01-03'];

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
    expect(first.stdout).toMatch(/^2020-01-01 is laid out per-date: 2 files, [\d,]+ bytes\n$/);
    const second = await say(['compact', '--out', out, '--run-date', day]);
    expect(second).toMatchObject({
      code: 0,
      stderr: '',
      stdout: first.stdout.replace('is', 'was').replace('laid out', 'laid out before as'),
    });
    expect(await readdir(join(out, 'users', `run_date=${day}`))).toEqual(['part-00000.parquet']);
  });

  it('prints the manifest as JSON', async () => {
    const { stdout } = await say(['compact', '--out', out, '--run-date', DAYS[0] ?? '', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      layout: 'per-date',
      status: 'complete',
      totals: { users: 1203 },
    });
  });

  it.each([
    ['without a date', [], '--run-date'],
    ['for a date that is none', ['--run-date', '2020-02-30'], '--run-date'],
    ['for a layout that is none', ['--run-date', '2020-01-01', '--layout', 'per-month'], 'per-org'],
    ['for a date without a snapshot', ['--run-date', '2020-01-04'], 'There is no snapshot of 2020-01-04'],
  ])('%s ends with 2, and names what is wrong', async (_, flags, named) => {
    const { code, stderr } = await say(['compact', '--out', out, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('    at ');
  });

  it('ends with 75 while another run holds the day', async () => {
    const lock = await acquireLock({
      storage: new LocalStorage(out),
      runDate: DAYS[0] ?? '',
      runId: 'another',
      clock: systemClock,
    });
    const { code, stderr } = await say(['compact', '--out', out, '--run-date', DAYS[0] ?? '']);
    await lock.release();
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
    expect(dry.stdout).toContain(
      '2020-01-03: stays. It is the newest complete snapshot.\nNothing was removed',
    );
    expect(await readdir(join(out, 'users'))).toHaveLength(3);
    const real = await run(['prune', '--out', out, '--keep-days', '30']);
    expect(real).toMatchObject({ code: 0, stderr: '' });
    expect(real.stdout).toMatch(/^2020-01-01: pruned, 3 files, [\d,]+ bytes\n2020-01-02: pruned, /);
    expect(await readdir(join(out, 'users'))).toEqual(['run_date=2020-01-03']);
    const again = await say(['prune', '--out', out, '--keep-days', '30']);
    expect(again.stdout).toMatch(/^2020-01-03: stays\. .*\nThe snapshots from [\d-]+ on stay\.\n$/);
    const verified = await say(['verify', '--out', out, '--all']);
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/2020-01-01: pruned, run \S+, 0 files/),
    });
  });

  it('prints what it did as JSON', async () => {
    const { stdout } = await say(['prune', '--out', out, '--keep-days', '1', '--json']);
    const { kept_from: keptFrom, pruned, left } = JSON.parse(stdout);
    expect(keptFrom).toBe(new Date().toISOString().slice(0, 10));
    expect(pruned.map((dated: object) => Object.keys(dated))).toEqual([
      ['run_date', 'files', 'bytes'],
      ['run_date', 'files', 'bytes'],
    ]);
    expect(left).toMatchObject([{ run_date: '2020-01-03', code: 'newest' }]);
  });

  it('ends with 75 when a day is held by another run, after it has pruned the rest', async () => {
    const lock = await acquireLock({
      storage: new LocalStorage(out),
      runDate: DAYS[0] ?? '',
      runId: 'another',
      clock: systemClock,
    });
    const { code, stdout } = await say(['prune', '--out', out, '--keep-days', '1']);
    await lock.release();
    expect(code).toBe(75);
    expect(stdout).toMatch(/^2020-01-02: pruned.*\n2020-01-01: stays\. .* held by run another/);
  });

  it.each([[[]], [['--keep-days', '0']], [['--keep-days', 'all']]])(
    'ends with 2 with the flags %j',
    async (flags) => {
      const { code, stderr } = await say(['prune', '--out', out, ...flags]);
      expect(code).toBe(2);
      expect(stderr).toContain('--keep-days');
      expect(await readdir(join(out, 'users'))).toHaveLength(3);
    },
  );
});
