import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { compact, createSink, LocalStorage, type Manifest, verify } from '../../src/index.js';
import { filesBelow, take, temporaryFolder } from './tree.js';

const RUN_DATE = '2026-11-23';
const MANIFEST = `_runs/run_date=${RUN_DATE}/manifest.json`;

/** Changes the manifest, and makes the log agree, as who can write to a folder could. */
async function rewriteManifest(root: string, change: (manifest: Manifest) => void): Promise<void> {
  const manifest = JSON.parse(await readFile(join(root, MANIFEST), 'utf8')) as Manifest;
  change(manifest);
  await writeFile(join(root, MANIFEST), JSON.stringify(manifest));
}

const problems = async (root: string): Promise<string[]> => {
  const { findings } = await verify({ storage: new LocalStorage(root), all: true });
  return findings.map(({ problem, path }) => `${problem} ${path.replace(/org_uuid=[^/]+/, 'org_uuid=U')}`);
};

const PART = `users/run_date=${RUN_DATE}/org_uuid=U/part-00000.ndjson`;

describe('verify', () => {
  const formats = [
    ['ndjson', 'none'],
    ['ndjson', 'gzip'],
    ['csv', 'none'],
    ['csv', 'gzip'],
    ['parquet', 'zstd'],
    ['parquet-js', 'snappy'],
    ['arrow', 'none'],
  ] as const;
  it.each(formats)('finds nothing wrong with what was published as %s (%s)', async (format, compression) => {
    await using api = await startFixtureApi({ sizes: [0, 1, 1200], awkward: true });
    await using root = await temporaryFolder();
    await take(api, root.path, { sink: createSink(format, { compression }), runDate: '2026-11-22' });
    await take(api, root.path, { sink: createSink(format, { compression }) });
    const result = await verify({ storage: new LocalStorage(root.path), all: true });
    expect(result).toMatchObject({ findings: [], logEntries: 2 });
    expect(result.runDates.map(({ runDate, rows }) => [runDate, rows])).toEqual([
      ['2026-11-23', 1204],
      ['2026-11-22', 1204],
    ]);
  });

  it.each(formats)('finds a byte of a %s file (%s) that was changed', async (format, compression) => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    await take(api, root.path, { sink: createSink(format, { compression }) });
    const [part] = Object.keys(await filesBelow(root.path)).filter((path) => path.startsWith('users/'));
    const bytes = await readFile(join(root.path, part as string));
    bytes[Math.floor(bytes.length / 2)] = 0x41;
    await writeFile(join(root.path, part as string), bytes);
    const found = (await verify({ storage: new LocalStorage(root.path) })).findings.map(
      ({ problem }) => problem,
    );
    expect(found).toContain('sha256');
    expect(found).not.toContain('size');
  });

  const cases: [string, (root: string, part: string) => Promise<unknown>, string[]][] = [
    ['a file is missing', (root, part) => rm(join(root, part)), [`missing ${PART}`]],
    ['a file is extra', (root, part) => writeFile(join(root, `${part}.copy`), ''), [`extra ${PART}.copy`]],
    [
      'a file has grown',
      (root, part) => appendFile(join(root, part), '{}\n'),
      [`size ${PART}`, `rows ${PART}`],
    ],
    [
      'the manifest was changed',
      (root) => rewriteManifest(root, (manifest) => Object.assign(manifest, { run_id: 'another' })),
      [`log ${MANIFEST}`],
    ],
    [
      'the totals are not those of the files',
      (root) => rewriteManifest(root, ({ totals }) => Object.assign(totals, { users: 7 })),
      [`log ${MANIFEST}`, `totals ${MANIFEST}`],
    ],
    [
      'the publication was cut short',
      (root) => rewriteManifest(root, (manifest) => Object.assign(manifest, { status: 'publishing' })),
      [`status ${MANIFEST}`],
    ],
    [
      'the manifest is no manifest',
      (root) => writeFile(join(root, MANIFEST), '{}'),
      [`unreadable ${MANIFEST}`],
    ],
    [
      'an entry of the log is gone',
      (root) => rm(join(root, '_runs/log/00000001.json')),
      ['log _runs/log (entry 1)', 'log _runs/run_date=2026-11-22/manifest.json'],
    ],
  ];
  it.each(cases)('tells when %s', async (_, damage, expected) => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-22' });
    await take(api, root.path);
    const parts = Object.keys(await filesBelow(root.path)).filter((path) =>
      path.startsWith(`users/run_date=${RUN_DATE}`),
    );
    await damage(root.path, parts[0] as string);
    expect(await problems(root.path)).toEqual(expected);
  });

  it('tells an entry of the log that was changed, and the one that no longer follows it', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    for (const runDate of ['2026-11-21', '2026-11-22', '2026-11-23']) await take(api, root.path, { runDate });
    const entry = join(root.path, '_runs/log/00000002.json');
    await writeFile(entry, (await readFile(entry, 'utf8')).replace('"at":"2', '"at":"3'));
    expect(await problems(root.path)).toEqual(['log _runs/log (entry 3)']);
  });

  it('says so where there is no snapshot', async () => {
    await using root = await temporaryFolder();
    await expect(verify({ storage: new LocalStorage(root.path) })).rejects.toMatchObject({
      code: 'nothing_to_verify',
      exitCode: 2,
    });
  });
});

it('looks again at a day that is laid out anew while it is looked at', async () => {
  await using api = await startFixtureApi({ sizes: [30, 20] });
  await using root = await temporaryFolder();
  await take(api, root.path);
  let looks = 0;
  class Moving extends LocalStorage {
    override async *read(key: string): AsyncGenerator<Uint8Array> {
      if (key.startsWith('users/') && looks++ === 1)
        await compact({ storage: new LocalStorage(root.path), runDate: RUN_DATE });
      yield* super.read(key);
    }
  }
  expect(await verify({ storage: new Moving(root.path) })).toMatchObject({
    findings: [],
    runDates: [{ status: 'complete', files: 2 }],
  });
  expect(looks).toBe(3); // two files of the first look, one of the second
});
