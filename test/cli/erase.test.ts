import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { temporaryFolder } from '../run/support/tree.js';
import { DATES, threeDays } from '../upkeep/support/erased-root.js';
import { PERSON } from '../upkeep/support/person.js';
import { say } from './command.js';

let api: MadeUpApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let out: string;
let roots = 0;
beforeAll(async () => {
  api = await startMadeUpApi();
  folder = await temporaryFolder();
  await threeDays(api, join(folder.path, 'published'));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(async () => {
  roots += 1;
  out = join(folder.path, `root-${roots}`);
  await cp(join(folder.path, 'published'), out, { recursive: true });
});

const erase = (...flags: string[]) => say(['erase', '--out', out, '--user', PERSON, ...flags]);
const today = new Date().toISOString().slice(0, 10);
const ROWS = '2 users, 2 group_members';
const CHANGED =
  '1 organizations, 2 users, 1 roles, 1 role_permissions, 1 groups, 1 organization_settings, 1 api_keys';

describe('erase', () => {
  it('says day by day what it would do, and with --dry-run changes nothing', async () => {
    const { code, stdout } = await erase('--dry-run');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      ...DATES.map((date) => `${date}: rows to remove: ${ROWS}; rows to change: ${CHANGED}`),
      'Nothing was changed.',
      '',
    ]);
    const { stdout: verified } = await say(['verify', '--out', out, '--all']);
    expect(verified).not.toContain('erased');
  });

  it('says what it did, and verify says who was erased when', async () => {
    const { code, stdout, stderr } = await erase('--reason', 'GDPR-4711');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      ...DATES.map((date) => `${date}: rows removed: ${ROWS}; rows changed: ${CHANGED}`),
      'Erased from 3 of 3 snapshots. A dump reads this user again for as long as the API lists them.',
      '',
    ]);
    const verified = await say(['verify', '--out', out, '--all']);
    expect(verified.code).toBe(0);
    expect(verified.stdout.split('\n').filter((line) => line.startsWith('  '))).toEqual(
      DATES.map(() => `  4 rows of 1 person erased on ${today}, 8 rows changed`),
    );
    const again = await erase();
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(`Erased before on ${today}.\nErased from 0 of 3 snapshots.`);
  });

  it('ends with 1 when no user has the id', async () => {
    const { code, stdout } = await say(['erase', '--out', out, '--user', 'user_01Nobody000']);
    expect(code).toBe(1);
    expect(stdout).toBe('No user with this id is in 3 snapshots. Nothing was changed.\n');
  });

  it('prints its result as JSON, without the id', async () => {
    const { stdout } = await erase('--json');
    expect(stdout).not.toContain(PERSON);
    expect(JSON.parse(stdout)).toMatchObject({
      is_known: true,
      snapshots: 3,
      erased: DATES.map((run_date) => ({ run_date, removed: { users: 2, group_members: 2 } })),
      failed: [],
      dropped_runs: 0,
      left: [],
    });
  });

  it('refuses a reason that is a text, and an id that is none', async () => {
    for (const flags of [
      ['--reason', 'asked by mail'],
      ['--user', 'ada'],
    ]) {
      const { code, stderr } = await say(['erase', '--out', out, '--user', PERSON, ...flags]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/--reason|--user/);
    }
  });
});
