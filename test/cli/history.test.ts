import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSink, decodeFile, type HistoryRow, historySchema, LocalStorage } from '../../src/index.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { ALPHA, BETA, thirtyDays } from '../history/support/thirty-days.js';
import { temporaryFolder } from '../run/support/tree.js';
import { ROOT } from '../source-files.js';
import { environmentOf, say } from './command.js';

/** As many days of the month as the tests need. */
const DATES = ['04', '05', '14', '15', '16', '22', '28'].map((day) => `2026-11-${day}`);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await using api = await startMadeUpApi();
  const storage = new LocalStorage(join(folder.path, 'out'));
  for (const { date, day } of thirtyDays)
    if (DATES.includes(date)) await take(api, storage, day, { runDate: date, sink: createSink('csv') });
});
afterAll(() => folder[Symbol.asyncDispose]());

const history = (...args: string[]) =>
  say(
    ['history', ...args, '--out', join(folder.path, 'out')],
    environmentOf(undefined, { XDG_STATE_HOME: join(folder.path, 'state') }),
  );

describe('history', () => {
  it('shows what a person was, and what is not known, as its page says', async () => {
    const text = await readFile(join(ROOT, 'docs/history.md'), 'utf8');
    const [, shown] = /```text\n([\s\S]*?)```/.exec(text) ?? [];
    expect(shown).toContain('2026-11-15 – 2026-11-22  unknown');
    expect(await history('--user', 'user_01gil')).toEqual({ code: 0, stderr: '', stdout: shown });
  });

  it('shows all that is in an organisation, as much of it as people read', async () => {
    const { stdout } = await history('--org', ALPHA.toUpperCase(), '--limit', '2');
    expect(stdout).toContain('\n  organizations: 1 interval\n  users: 7 intervals\n');
    expect(stdout).toContain('\n    … and 8 more\n');
    expect((await history('--org', ALPHA)).stdout).toContain(
      '2026-11-05 – 2026-11-22  present  changed, organization_role = admin\n',
    );
  });

  it('takes only the days that are asked for', async () => {
    const { stdout } = await history(
      '--user',
      'user_01gil',
      '--since',
      '2026-11-10',
      '--until',
      '2026-11-14',
    );
    expect(stdout).toBe(`history of user_01gil from 2026-11-14 to 2026-11-14 (1 snapshot)
  users: 1 interval
  users ${BETA}/user_01gil (gil@example.com)
    2026-11-14 – now  present  first read
`);
  });

  it('says that a person is in no list, and that a list was not read', async () => {
    expect(
      (await history('--user', 'user_01nobody')).stdout,
    ).toBe(`history of user_01nobody from 2026-11-04 to 2026-11-28 (7 snapshots)
  it is in none of the lists that were read
  not completely read on some of the days, which is not "not in it": 1 list
`);
  });

  it('writes every interval in every format', async () => {
    const rows: Record<string, HistoryRow[]> = {};
    for (const format of ['ndjson', 'csv', 'parquet', 'arrow']) {
      const path = `history.${format}`;
      const { code, stdout } = await history('--org', BETA, '--output', join(folder.path, path));
      expect(code).toBe(0);
      expect(stdout).toContain(`history of organisation ${BETA}`);
      rows[format] = [];
      const bytes = new LocalStorage(folder.path).read(path);
      for await (const batch of decodeFile({ format, path, schema: historySchema, bytes }))
        rows[format].push(...(batch as HistoryRow[]));
      expect(rows[format]).toEqual(rows.ndjson);
    }
    expect(rows.ndjson?.length).toBeGreaterThan(10);
    const { stdout, stderr } = await history('--org', BETA, '--output', '-', '--format', 'ndjson');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows.ndjson);
    expect(stderr).toContain('intervals\n');
  });

  it('replaces names where pseudonyms are asked for, and finds the person by the id', async () => {
    const environment = environmentOf(undefined, {
      XDG_STATE_HOME: join(folder.path, 'state'),
      CLAUDE_COMPLIANCE_PSEUDONYM_KEY: 'k'.repeat(32),
    });
    const { code, stdout } = await say(
      [
        ...['history', '--user', 'user_01gil', '--pseudonymize', 'email', 'full_name'],
        ...['--out', join(folder.path, 'out'), '--output', '-', '--format', 'ndjson'],
      ],
      environment,
    );
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(4);
    expect(stdout).not.toContain('gil@');
    expect(stdout).not.toContain('"gil"');
  });

  it.each([
    [[], 'history_of_whom'],
    [['--user', 'user_01gil', '--org', ALPHA], 'history_of_whom'],
    [['--org', 'cccccccc-0000-4000-8000-000000000000'], 'organization_not_listed'],
    [['--user', 'user_01gil', '--since', '2026-12-01'], 'snapshot_missing'],
    [['--user', 'user_01gil', '--since', 'yesterday'], 'settings_invalid'],
    [['--user', 'user_01gil', '--output', 's3://bucket/history.csv'], 'output_not_local'],
  ])('refuses %j', async (args, code) => {
    expect(await history(...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`[${code}]`),
    });
  });
});
