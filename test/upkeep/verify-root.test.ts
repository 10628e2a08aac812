import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  formatLogHead,
  LocalStorage,
  type LogHead,
  parseLogHead,
  readLog,
  readManifest,
  type VerifyRequest,
  verify,
} from '../../src/index.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { changeJson } from './support/tamper.js';

const DATES = ['2026-11-21', '2026-11-22', '2026-11-23'];
const MIDDLE = '2026-11-22';

let template: Awaited<ReturnType<typeof temporaryFolder>>;
let copies = 0;
beforeAll(async () => {
  template = await temporaryFolder();
  await using api = await startFixtureApi({ sizes: [3, 2] });
  const root = join(template.path, 'root');
  for (const runDate of DATES) await take(api, root, { runDate });
  await take(api, root, { runDate: MIDDLE }); // replaced: entries 2 and 4
});
afterAll(() => template[Symbol.asyncDispose]());

/** A root of its own for each test: three days, of which the one in the middle was replaced. */
async function copy(): Promise<string> {
  const path = join(template.path, `copy-${++copies}`);
  await cp(join(template.path, 'root'), path, { recursive: true });
  return path;
}

const check = (root: string, request: Partial<VerifyRequest> = {}) =>
  verify({ storage: new LocalStorage(root), ...request });

const problemsOf = async (root: string, request: Partial<VerifyRequest> = {}) =>
  (await check(root, request)).findings.map(({ problem, path }) => `${problem} ${path}`);

const runsOf = async (root: string): Promise<string[]> =>
  (await readLog(new LocalStorage(root))).map(({ entry }) => entry?.run_id ?? '');
const logEntry = (root: string, seq: number): string => join(root, `_runs/log/0000000${seq}.json`);
const remove = (root: string, path: string) => rm(join(root, path), { recursive: true });

describe('from the log to the files, verify reports', () => {
  it('a day of which all files were removed, without reading the files of that day', async () => {
    const root = await copy();
    for (const table of ['users', 'organizations']) await remove(root, `${table}/run_date=${MIDDLE}`);
    const missing = await problemsOf(root);
    expect(missing.map((problem) => problem.split('/')[0]).sort()).toEqual([
      'missing organizations',
      'missing users',
      'missing users',
    ]);
    expect(await problemsOf(root, { all: true })).toEqual(missing);
  });

  it('a day of which one table was removed', async () => {
    const root = await copy();
    await remove(root, `users/run_date=${MIDDLE}`);
    expect(await problemsOf(root)).toEqual([
      expect.stringContaining(`missing users/run_date=${MIDDLE}/`),
      expect.stringContaining(`missing users/run_date=${MIDDLE}/`),
    ]);
  });

  it('a day of which everything was removed, its manifests included', async () => {
    const root = await copy();
    const [, first, , second] = await runsOf(root);
    for (const folder of ['users', 'organizations', '_runs'])
      await remove(root, `${folder}/run_date=${MIDDLE}`);
    expect(await problemsOf(root)).toEqual([
      `missing _runs/run_date=${MIDDLE}/${first}.json`,
      `missing _runs/run_date=${MIDDLE}/${second}.json`,
    ]);
  });

  it.each([
    ['current', 3],
    ['replaced', 1],
  ])('a %s manifest that was removed', async (_, index) => {
    const root = await copy();
    const path = `_runs/run_date=${MIDDLE}/${(await runsOf(root))[index]}.json`;
    await remove(root, path);
    expect(await problemsOf(root)).toEqual([`missing ${path}`]);
    expect(await problemsOf(root, { all: true })).toEqual([`missing ${path}`]);
  });

  it.each([
    ['current', 3],
    ['replaced', 1],
  ])('a %s manifest that was changed after publishing', async (_, index) => {
    const root = await copy();
    const path = `_runs/run_date=${MIDDLE}/${(await runsOf(root))[index]}.json`;
    await writeFile(
      join(root, path),
      (await readFile(join(root, path), 'utf8')).replace('"rows": 3', '"rows": 4'),
    );
    expect(await problemsOf(root, { runDate: MIDDLE })).toEqual([`log ${path}`]);
  });
});

describe('from the files to the log, verify reports', () => {
  it('the folder of a day that nobody published, and whose files they are', async () => {
    const root = await copy();
    const [, , last] = await runsOf(root);
    await cp(join(root, 'users/run_date=2026-11-23'), join(root, 'users/run_date=2026-11-24'), {
      recursive: true,
    });
    const { findings } = await check(root);
    expect(findings).toMatchObject([{ runDate: '2026-11-24', problem: 'unreferenced' }]);
    expect(findings[0]?.detail).toBe(`the log knows no snapshot of this run date: it belongs to run ${last}`);
  });

  it.each(['users/run_date=2026-11-24/mine.ndjson', 'organizations/mine.ndjson'])(
    'a file that no run has written: %s',
    async (path) => {
      const root = await copy();
      await mkdir(dirname(join(root, path)), { recursive: true, mode: 0o700 });
      await cp(join(root, '_runs/dataset.json'), join(root, path));
      const { findings } = await check(root);
      expect(findings).toMatchObject([{ path, problem: 'unreferenced' }]);
      expect(findings[0]?.detail).toContain('no run of this connector writes such a name');
    },
  );

  it('a manifest that the log does not name', async () => {
    const root = await copy();
    const path = '_runs/run_date=2026-11-21/20261121T010203Z-1f08da1e.json';
    await writeFile(join(root, path), '{}', { mode: 0o600 });
    expect(await problemsOf(root)).toEqual([`unreferenced ${path}`]);
  });

  it('a day of which only the log entry was removed', async () => {
    const root = await copy();
    const [, , third, fourth] = await runsOf(root);
    await rm(logEntry(root, 4));
    await rm(logEntry(root, 3));
    expect(await problemsOf(root)).toEqual(
      expect.arrayContaining([
        `unreferenced _runs/run_date=2026-11-23/${third}.json`,
        `unreferenced _runs/run_date=${MIDDLE}/${fourth}.json`,
        expect.stringMatching(/^unreferenced (users|organizations)\/run_date=2026-11-23\//),
      ]),
    );
  });

  it('a root whose log was removed', async () => {
    const root = await copy();
    await remove(root, '_runs/log');
    const problems = await problemsOf(root);
    expect(problems[0]).toBe('log _runs/log');
    expect(problems.filter((problem) => problem.startsWith('unreferenced _runs/'))).toHaveLength(4);
    const dates = problems.filter((problem) => /^unreferenced (users|organizations)/.test(problem));
    expect(dates).toHaveLength(3);
  });
});

describe('of the log, verify reports', () => {
  it('an entry that is missing', async () => {
    const root = await copy();
    await rm(logEntry(root, 2));
    expect(await problemsOf(root)).toContain('log _runs/log/00000002.json');
  });

  it('an entry that was changed, at the one that does not follow it any more', async () => {
    const root = await copy();
    const path = logEntry(root, 2);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"at":"2', '"at":"3'));
    expect(await problemsOf(root)).toEqual(['log _runs/log/00000003.json']);
  });

  it('an entry with a field that is not known', async () => {
    const root = await copy();
    await changeJson(logEntry(root, 4), (entry: Record<string, unknown>) =>
      Object.assign(entry, { note: 'x' }),
    );
    expect(await problemsOf(root)).toContain('log _runs/log/00000004.json');
  });
});

describe('a head of the log that was kept elsewhere', () => {
  const headOf = async (root: string): Promise<LogHead> => (await check(root)).head;

  it('is found again, also when more was published since', async () => {
    const root = await copy();
    const head = await headOf(root);
    expect(head.entries).toBe(4);
    await using api = await startFixtureApi({ sizes: [3, 2] });
    await take(api, root, { runDate: '2026-11-24' });
    expect(await problemsOf(root, { expect: head })).toEqual([]);
  });

  it('shows that the log was cut, with everything that the last entry named', async () => {
    const root = await copy();
    const expected = await headOf(root);
    await using api = await startFixtureApi({ sizes: [3, 2] });
    await take(api, root, { runDate: '2026-11-24' });
    const later = await headOf(root);
    await rm(logEntry(root, 5));
    for (const folder of ['users', 'organizations', '_runs'])
      await remove(root, `${folder}/run_date=2026-11-24`);
    expect(await problemsOf(root)).toEqual([]);
    expect(await problemsOf(root, { expect: expected })).toEqual([]);
    const { findings } = await check(root, { expect: later });
    expect(findings).toMatchObject([{ path: '_runs/log/00000005.json', problem: 'head' }]);
    expect(findings[0]?.detail).toBe('the log has 4 entries where 5 were expected: it was cut');
  });

  it('shows that the log was rewritten, although its chain is intact', async () => {
    const root = await copy();
    const expected = await headOf(root);
    await changeJson(logEntry(root, 4), (entry: { at: string }) => {
      entry.at = '2026-11-23T00:00:00.000Z';
    });
    expect(await problemsOf(root)).toEqual([]);
    const { findings } = await check(root, { expect: expected });
    expect(findings).toMatchObject([{ path: '_runs/log/00000004.json', problem: 'head' }]);
    expect(findings[0]?.detail).toContain('the log was rewritten');
  });

  it('is written as one text, and read from it', async () => {
    const head = await headOf(await copy());
    expect(formatLogHead(head)).toMatch(/^4:[0-9a-f]{64}$/);
    expect(parseLogHead(formatLogHead(head))).toEqual(head);
  });

  it.each([
    '',
    '4',
    '4:',
    `0:${'a'.repeat(64)}`,
    `4:${'a'.repeat(63)}`,
    `4:${'A'.repeat(64)}`,
    `-1:${'a'.repeat(64)}`,
  ])('is not %j', (text) => {
    expect(() => parseLogHead(text)).toThrow(
      expect.objectContaining({ code: 'log_head_invalid', exitCode: 2 }),
    );
  });
});

it('what verify reports of a replaced manifest does not keep anybody from the current one', async () => {
  const root = await copy();
  const [, replaced] = await runsOf(root);
  await remove(root, `_runs/run_date=${MIDDLE}/${replaced}.json`);
  expect(await readManifest(new LocalStorage(root), MIDDLE)).toMatchObject({ status: 'complete' });
});
