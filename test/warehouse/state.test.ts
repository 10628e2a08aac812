import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { temporaryKey } from '../../src/storage/temporary.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { claudeCompliance, environmentOf, UNHURRIED } from './support/command.js';

/** Also one with a name that we could have given, but in a folder of the user's. */
const OWN_FILES = [
  `${temporaryKey()}/draft.txt`,
  'notes.txt',
  'tmp/draft.txt',
  'tmp/deep/er.txt',
  '_runs/log.txt',
  'staging/a',
  '_staging.txt',
];
const LONG_AGO = new Date('2020-01-01');

describe('the folder that --state names', () => {
  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [2, 0, 5] });
    folder = await temporaryFolder();
  });

  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  /** A folder of the user's own, with old files everywhere. */
  async function ownFolder(name: string): Promise<string> {
    const state = join(folder.path, name);
    for (const path of OWN_FILES) {
      await mkdir(dirname(join(state, path)), { recursive: true });
      await writeFile(join(state, path), `of the user: ${path}`);
      await utimes(join(state, path), LONG_AGO, LONG_AGO);
      await utimes(dirname(join(state, path)), LONG_AGO, LONG_AGO);
    }
    return state;
  }

  async function expectOnlyOwnFiles(state: string): Promise<void> {
    for (const path of OWN_FILES)
      expect(await readFile(join(state, path), 'utf8')).toBe(`of the user: ${path}`);
    const entries = await readdir(state, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isFile())).toHaveLength(OWN_FILES.length);
  }

  const load = (state: string, ...flags: string[]) =>
    claudeCompliance(
      ['load', 'duckdb', '--database', `${state}.duckdb`, '--state', state, ...UNHURRIED, ...flags],
      environmentOf(api),
    );

  it('keeps every file of its owner, and none of ours, after a load from the API', async () => {
    const state = await ownFolder('from the API');
    expect(await load(state)).toMatchObject({ exitCode: 0, stderr: '' });
    await expectOnlyOwnFiles(state);
  });

  it('keeps them after a load from a dump', async () => {
    const state = await ownFolder('from a dump');
    await take(api, join(folder.path, 'root'));
    expect(await load(state, '--from', join(folder.path, 'root'))).toMatchObject({ exitCode: 0, stderr: '' });
    await expectOnlyOwnFiles(state);
  });

  it('keeps them after a load that failed', async () => {
    const state = await ownFolder('failed');
    const failing = await startFixtureApi({ sizes: [1] });
    failing.fault({ do: { type: 'data-null' } });
    const ended = await claudeCompliance(
      [
        'load',
        'duckdb',
        '--database',
        `${state}.duckdb`,
        '--state',
        state,
        '--max-retries',
        '0',
        ...UNHURRIED,
      ],
      environmentOf(failing),
    );
    await failing.close();
    expect(ended.exitCode).not.toBe(0);
    await expectOnlyOwnFiles(state);
  });

  it('is by default one of our own below XDG_STATE_HOME, and holds no file afterwards', async () => {
    const state = await ownFolder('by default');
    const environment = { ...environmentOf(api), XDG_STATE_HOME: state };
    const flags = ['--database', `${state}.duckdb`, ...UNHURRIED];
    expect(await claudeCompliance(['load', 'duckdb', ...flags], environment)).toMatchObject({ exitCode: 0 });
    await expectOnlyOwnFiles(state);
    expect(await readdir(join(state, 'claude-compliance-connector'))).toEqual(['_staging']);
  });
});
