import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ago, sizeOf } from '../../connectors/cli/amounts.js';
import { runCommandLine } from '../../connectors/cli/command-line.js';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, readManifest } from '../../src/index.js';
import { stoppedAt } from '../run/support/clocks.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

let out: string;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  out = folder.path;
  await using before = await startFixtureApi({ sizes: [3, 1200] });
  await using after = await startFixtureApi({ sizes: [3, 1190, 2] });
  const at = (runDate: string) => ({ runDate, clock: stoppedAt(`${runDate}T01:00:00Z`) });
  await take(before, out, at('2026-11-21'));
  await take(after, out, at('2026-11-22'));
});
afterAll(() => folder[Symbol.asyncDispose]());

/** What the command prints on a terminal with so many columns. */
async function onTerminal(columns: number): Promise<string[]> {
  const stdout = Object.assign(new PassThrough(), { columns });
  const { signal } = new AbortController();
  const context = { stdout, stderr: new PassThrough(), environment: environmentOf(), signal };
  expect(await runCommandLine(['snapshots', '--out', out], context)).toBe(0);
  stdout.end();
  return (await text(stdout)).trimEnd().split('\n');
}

describe('snapshots', () => {
  it('lists the days with their counts, and what changed in them', async () => {
    const { code, stdout, stderr } = await say(['snapshots', '--out', out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const manifest = await readManifest(new LocalStorage(out), '2026-11-21');
    const [head, first, second, blank, total, logHead] = stdout.split('\n');
    expect(head?.split(/\s+/)).toEqual(
      'date run status layout streams organizations users size age'.split(' '),
    );
    expect(first?.split(/\s{2,}/)).toEqual([
      '2026-11-21',
      manifest?.run_id.slice(-8),
      'complete',
      'per-org',
      '2 of 8',
      '2',
      '1,203',
      expect.stringMatching(/^\d+ kB$/),
      expect.stringMatching(/^(in )?\d+ (hour|day)s?$/),
    ]);
    expect(second).toMatch(/ 2 of 8 +3 \(\+1\) +1,195 \(−8\) /);
    expect(blank).toBe('');
    expect(total).toMatch(/^2 snapshots, \d+ kB$/);
    expect(logHead).toMatch(/^log head 2:[0-9a-f]{64}$/);
  });

  it('prints the same as JSON', async () => {
    const { code, stdout } = await say(['snapshots', '--out', out, '--json']);
    expect(code).toBe(0);
    const { location, log_head, snapshots, unreadable } = JSON.parse(stdout);
    expect(location).toBe(out);
    expect(log_head).toMatch(/^2:/);
    expect(unreadable).toEqual([]);
    expect(snapshots).toMatchObject([
      { run_date: '2026-11-21', status: 'complete', format: 'ndjson', layouts: ['per-org'], files: 3 },
      {
        run_date: '2026-11-22',
        streams: [
          { stream: 'organizations', rows: 3, is_complete: true, change: 1, since: '2026-11-21' },
          { stream: 'users', rows: 1195, is_complete: true, change: -8, since: '2026-11-21' },
        ],
      },
    ]);
  });

  it.each([60, 80, 100, 200])('fits a terminal of %d columns, with the counts', async (columns) => {
    const lines = await onTerminal(columns);
    for (const line of lines.filter((line) => !line.startsWith('log head'))) {
      expect(line.length).toBeLessThanOrEqual(columns);
    }
    expect(lines[2]).toMatch(/^2026-11-22 .* 3 \(\+1\) +1,195 \(−8\) /);
  });

  it('ends with 1 when a manifest cannot be read, and says of which day', async () => {
    await using root = await temporaryFolder();
    await using api = await startFixtureApi({ sizes: [1] });
    const { run_id } = await take(api, root.path, { runDate: '2026-11-21' });
    await writeFile(join(root.path, `_runs/run_date=2026-11-21/${run_id}.json`), '{}');
    const { code, stdout } = await say(['snapshots', '--out', root.path]);
    expect(code).toBe(1);
    expect(stdout).toContain('0 snapshots, 0 B\n2026-11-21: cannot be read. ');
  });

  it('ends with 2 where nothing was published', async () => {
    await using root = await temporaryFolder();
    const { code, stderr } = await say(['snapshots', '--out', root.path]);
    expect(code).toBe(2);
    expect(stderr).toContain('[snapshot_missing]');
  });
});

describe('an amount for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234, '1.23 kB'],
    [788_488, '788 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [1_234_567_890, '1.23 GB'],
    [10 ** 15, '1 PB'],
  ])('of %d bytes is %s', (bytes, shown) => {
    expect(sizeOf(bytes)).toBe(shown);
  });

  it.each([
    [0, '0 minutes'],
    [59_999, '0 minutes'],
    [60_000, '1 minute'],
    [3_599_999, '59 minutes'],
    [3_600_000, '1 hour'],
    [86_400_000, '1 day'],
    [400 * 86_400_000, '400 days'],
    [-2 * 86_400_000, 'in 2 days'],
  ])('of %d milliseconds is %s', (ms, shown) => {
    expect(ago(ms)).toBe(shown);
  });
});
