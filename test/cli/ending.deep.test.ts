import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { manifestSchema } from '../../src/index.js';
import { filesBelow, memberships, rowsOf, servedMemberships, temporaryFolder } from '../run/support/tree.js';
import { COMMAND, ended, environmentOf, run, start } from './command.js';

const ARGS = ['dump', '--requests-per-minute', '0', '--run-date', '2026-11-23', '--format', 'ndjson'];
const MANIFEST = '_runs/run_date=2026-11-23/manifest.json';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [5, 40, 900] });
  folder = await temporaryFolder();
});
afterEach(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const begin = (root: string, ...args: string[]) =>
  start([...ARGS, '--out', root, ...args], { env: environmentOf(api) });
const uuidOf = (index: number) => String(api.organizations()[index]?.uuid);
const hang = (organizationUuid: string) =>
  api.fault({ match: { organizationUuid, times: 1 }, do: { type: 'hang', after: 'headers' } });
/** Resolves when an organisation's users have been asked for. */
async function asked(organizationUuid: string, child: ChildProcess): Promise<void> {
  while (!api.requests.some((request) => request.organizationUuid === organizationUuid)) {
    if (child.exitCode !== null) throw new Error(`It ended too early, with ${child.exitCode}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
/** A root holds a complete snapshot, with every row once. */
async function expectComplete(root: string): Promise<void> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(root, MANIFEST), 'utf8')));
  expect(manifest.status).toBe('complete');
  expect(memberships(await rowsOf(root, manifest, 'users'))).toEqual(servedMemberships(api));
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s in the middle of a dump', (name) => {
  it('ends it at once by the signal, with nothing in the tables and the lease released; the next run resumes it', async () => {
    const root = join(folder.path, 'out');
    hang(uuidOf(2));
    const child = begin(root, '--concurrency', '1');
    const over = ended(child);
    await asked(uuidOf(2), child);
    child.kill(name);
    const { code, signal, stdout, stderr } = await over;
    expect({ code, signal, stdout }).toEqual({ code: null, signal: name, stdout: '' });
    expect(stderr).not.toMatch(/^error:|"level":"error"|\n\s+at /m);
    const left = Object.keys(await filesBelow(root));
    expect(left.length).toBeGreaterThan(0);
    expect(left.filter((path) => !/^_(staging|runs)\//.test(path))).toEqual([]);
    expect(left.filter((path) => path.startsWith('_runs/'))).toEqual([]);

    const before = api.requests.length;
    expect(await ended(begin(root))).toMatchObject({ code: 0 });
    await expectComplete(root);
    const again = api.requests.slice(before).map(({ organizationUuid }) => organizationUuid);
    expect(again).toEqual([undefined, uuidOf(2)]);
  });
});

describe('two dumps at once into one folder', () => {
  it('are one that publishes, and one that names the other and says to try later', async () => {
    const root = join(folder.path, 'out');
    const release = new EventEmitter();
    async function* nothing() {
      await once(release, 'now');
      yield Buffer.alloc(0); // an empty answer is asked for again
    }
    api.fault({ match: { organizationUuid: uuidOf(2), times: 1 }, do: { type: 'stream', body: nothing } });
    const holder = begin(root, '--progress', 'none');
    const over = ended(holder);
    await asked(uuidOf(2), holder);
    const late = await ended(begin(root, '--progress', 'none'));
    release.emit('now');
    expect(late).toMatchObject({ code: 75, stdout: '' });
    expect(late.stderr).toMatch(
      new RegExp(
        `^error: Run \\S+ \\(pid ${holder.pid} on .*\\) holds the lock for 2026-11-23 in .*\\[locked\\]\\n$`,
      ),
    );
    expect(await over).toMatchObject({ code: 0 });
    await expectComplete(root);
  });
});

describe('the reader of our output', () => {
  it('may leave early: no error, no stack, exit code 0', async () => {
    await using large = await startFixtureApi({ sizes: [20_000] });
    const child = spawn(
      process.execPath,
      [COMMAND, ...ARGS, '--out', '-', '--streams', 'users', '--progress', 'none'],
      { env: environmentOf(large) },
    );
    const over = once(child, 'exit');
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await over).toEqual([0, null]);
    expect(stderr).toBe('');
    expect(large.requests.length).toBeLessThan(15);
  });

  it.runIf(process.platform === 'linux')('may be full: exit code 1 and a sentence', async () => {
    for (const args of [
      ['--out', '-', '--streams', 'users'],
      ['--out', join(folder.path, 'out'), '--json'],
    ]) {
      const command = [
        '"$0" "$@" > /dev/full',
        process.execPath,
        COMMAND,
        ...ARGS,
        ...args,
        '--progress',
        'none',
      ];
      const child = spawn('/bin/sh', ['-c', ...command], { env: environmentOf(api) });
      const { code, stderr } = await ended(child);
      expect(stderr).toBe('error: Writing to stdout failed (ENOSPC). [stdout_failed]\n');
      expect(code).toBe(1);
    }
  });
});

describe('a disk', () => {
  const mounted: string[] = [];
  afterEach(() => {
    for (const path of mounted.splice(0)) spawnSync('umount', [path]);
  });
  /** A file system of its own: who runs tests as root is let into any folder. */
  async function mount(options: string): Promise<string | undefined> {
    const path = join(folder.path, 'disk');
    await mkdir(path, { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0) {
      console.log('not run: a file system cannot be mounted here');
      return undefined;
    }
    mounted.push(path);
    return path;
  }
  const remount = (path: string, options: string) =>
    spawnSync('mount', ['-o', `remount,${options}`, path]).status;

  it('that is full is reported, exits with 1, and the next run completes', async (context) => {
    const disk = await mount('size=200k');
    if (disk === undefined) return context.skip();
    const root = join(disk, 'out');
    const { code, stderr } = await ended(begin(root, '--progress', 'none'));
    expect(stderr).toMatch(/^error: .*ENOSPC.* The disk is full: make room.*\n$/);
    expect(code).toBe(1);
    expect(remount(disk, 'size=10m')).toBe(0);
    expect(await ended(begin(root, '--progress', 'none'))).toMatchObject({ code: 0 });
    await expectComplete(root);
  });

  it('that is read-only is reported, exits with 2, and the next run completes', async (context) => {
    const disk = await mount('size=10m');
    if (disk === undefined) return context.skip();
    const root = join(disk, 'out');
    expect(remount(disk, 'ro')).toBe(0);
    const { code, stderr } = await ended(begin(root, '--progress', 'none'));
    expect(stderr).toMatch(/^error: .*EROFS.* The file system is read-only: choose another folder.*\n$/);
    expect(code).toBe(2);
    expect(remount(disk, 'rw')).toBe(0);
    expect(await ended(begin(root, '--progress', 'none'))).toMatchObject({ code: 0 });
    await expectComplete(root);
  });
});

describe('an API out of reach', () => {
  it('is reported without a stack, and exits with 75', async () => {
    const environment = { ANTHROPIC_COMPLIANCE_BASE_URL: 'http://127.0.0.1:1' };
    const { code, stdout, stderr } = await run(
      [...ARGS, '--out', join(folder.path, 'out'), '--max-retries', '0'],
      { env: environmentOf(api, environment) },
    );
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    expect(stderr).toMatch(/^error: GET .* the connection was refused .*\[connection_refused\]\n$/m);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
