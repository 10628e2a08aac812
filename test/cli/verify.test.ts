import { createHash } from 'node:crypto';
import { appendFile, chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { environmentOf, say } from './command.js';

const DAYS = ['2026-11-22', '2026-11-23'];

let folder: string;
let out: string;
/** What each dump printed. */
const printed: string[] = [];
beforeAll(async () => {
  await using api = await startFixtureApi({ sizes: [3, 0, 1200] });
  folder = await mkdtemp(join(tmpdir(), 'verify-'));
  for (const day of DAYS) {
    const flags = ['--out', join(folder, 'published'), '--run-date', day, '--progress', 'none'];
    const { code, stdout } = await say(['dump', ...flags, '--format', 'csv'], environmentOf(api));
    expect(code).toBe(0);
    printed.push(stdout);
  }
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  out = await mkdtemp(join(folder, 'root-'));
  await cp(join(folder, 'published'), out, { recursive: true });
});

const verify = (...flags: string[]) => say(['verify', '--out', out, ...flags]);
const logEntry = (seq: number) => join(out, '_runs/log', `${String(seq).padStart(8, '0')}.json`);
const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
const headPrinted = (day: number) => /log head (\S+)/.exec(printed[day] ?? '')?.[1] ?? '';
/** A users file of the newest snapshot. */
async function aFile(): Promise<string> {
  const users = 'users/run_date=2026-11-23';
  const [organization = ''] = await readdir(join(out, users));
  const [file = ''] = await readdir(join(out, users, organization));
  return `${users}/${organization}/${file}`;
}

describe('verify', () => {
  it('ends with one line that says that all is well, and the head of the log', async () => {
    const { code, stdout, stderr } = await verify('--all');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^2026-11-23: complete, read on [\d-]{10}, run \S+, 3 files, 1,206 rows$/),
      expect.stringMatching(/^2026-11-22: complete, read on [\d-]{10}, run \S+, 3 files, 1,206 rows$/),
      'OK: every file matches its manifest; log chain intact (2 entries).',
      `log head 2:${await sha256(logEntry(2))}`,
      '',
    ]);
  });

  it('prints the same as JSON', async () => {
    const { code, stdout } = await verify('--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      log_head: `2:${await sha256(logEntry(2))}`,
      run_dates: [
        {
          run_date: '2026-11-23',
          run_id: expect.any(String),
          status: 'complete',
          started_at: expect.stringMatching(/T.*Z$/),
          is_back_dated: true,
          files: 3,
          rows: 1206,
          erasures: [],
        },
      ],
      findings: [],
    });
  });

  it('begins with the damage, and exits with 1', async () => {
    const path = await aFile();
    await appendFile(join(out, path), 'more');
    const { code, stdout } = await verify();
    expect(code).toBe(1);
    const [first, second] = stdout.split('\n');
    expect(first).toMatch(/^DAMAGED: \d findings?\.$/);
    expect(second).toContain(path);
    expect(stdout).not.toContain('OK');
    expect(stdout).toMatch(/\nlog head 2:[0-9a-f]{64}\n$/);
    const { findings } = JSON.parse((await verify('--json')).stdout);
    expect(findings).toContainEqual({
      run_date: '2026-11-23',
      path,
      problem: 'size',
      detail: expect.any(String),
    });
  });

  it('finds every head that dump printed in the log', async () => {
    for (const day of [0, 1]) expect(await verify('--expect', headPrinted(day))).toMatchObject({ code: 0 });
  });

  it('notices with --expect a log that was cut, which alone looks intact but for its files', async () => {
    await rm(logEntry(2));
    const { code, stdout } = await verify('--expect', headPrinted(1));
    expect(code).toBe(1);
    expect(stdout).toContain('head: _runs/log/00000002.json: ');
    expect((await verify('--expect', headPrinted(0))).stdout).not.toContain('head: ');
  });

  it('notices with --expect a log that was rewritten', async () => {
    const entry = JSON.parse(await readFile(logEntry(2), 'utf8'));
    await writeFile(logEntry(2), `${JSON.stringify({ ...entry, at: '2026-11-23T00:00:00.000Z' })}\n`);
    expect(await verify()).toMatchObject({ code: 0 });
    const { code, stdout } = await verify('--expect', headPrinted(1));
    expect(code).toBe(1);
    expect(stdout).toContain('head: _runs/log/00000002.json: ');
  });

  it.runIf(process.platform !== 'win32')('reports a mode that is wider than --file-mode', async () => {
    const path = await aFile();
    await chmod(join(out, path), 0o640);
    const { code, stdout } = await verify();
    expect(code).toBe(1);
    expect(stdout).toContain(`mode: ${path}: `);
    expect(await verify('--file-mode', '640')).toMatchObject({ code: 0 });
  });

  it('of a folder that is no root exits with 2', async () => {
    expect(await say(['verify', '--out', folder])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('[snapshot_missing]'),
    });
  });
});
