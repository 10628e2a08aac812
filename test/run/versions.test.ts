import { execFile } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { stagedRuns, take, temporaryFolder, uuidOf } from './support/tree.js';

const ROOT = resolve(import.meta.dirname, '../..');
const COPY = join(ROOT, '.cache/another-version');
afterAll(() => rm(COPY, { recursive: true, force: true }));

/** Takes a snapshot that fails at the second organisation, by a build of its own, in a process of its own. */
const PROGRAM = `
  const [build, apiKey, baseUrl, root] = process.argv.slice(1);
  const { ComplianceClient, LocalStorage, createSink, snapshot } = await import(build);
  const client = new ComplianceClient({ apiKey, baseUrl, requestsPerMinute: 0, maxRetries: 0 });
  const storage = new LocalStorage(root);
  const settings = { runDate: '2026-11-23', backDated: true, streams: ['organizations', 'users'], concurrency: 1 };
  await snapshot({ client, storage, sink: createSink('ndjson'), ...settings }).catch((error) => {
    if (error.failure !== 'transient') throw error;
    console.log('interrupted');
  });
  await client.close();
`;

it.each<[string, string, (text: string) => string, number]>([
  ['resumed by the same version', 'version.js', (text) => text, 2],
  ['not resumed by another version', 'version.js', (text) => text.replace(/'\d+\.\d+\.\d+'/, "'0.0.9'"), 1],
  [
    'not resumed with other columns',
    'streams/users.js',
    (text) => text.replace(/ *personal\('email'.*\n/, ''),
    1,
  ],
])('an unfinished run is %s', async (_, file, change, attempts) => {
  await rm(COPY, { recursive: true, force: true });
  await cp(join(ROOT, 'dist/src'), join(COPY, 'src'), { recursive: true });
  const path = join(COPY, 'src', file);
  const before = await readFile(path, 'utf8');
  await writeFile(path, change(before));
  expect(change(before) === before).toBe(attempts === 2);

  await using api = await startFixtureApi({ sizes: [3, 4] });
  await using root = await temporaryFolder();
  api.fault({
    match: { organizationUuid: uuidOf(api, 1), times: 1 },
    do: { type: 'answer', status: 503 },
  });
  const build = join(COPY, 'src/index.js');
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--input-type=module', '--eval', PROGRAM],
    ...[build, api.key, api.url, root.path],
  ]);
  expect(stdout).toBe('interrupted\n');
  expect(await stagedRuns(join(root.path, '_staging'))).toHaveLength(1);
  expect((await take(api, root.path)).attempts).toHaveLength(attempts);
});
