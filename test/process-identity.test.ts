import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isKnownDead, thisProcess } from '../src/process-identity.js';

const PROGRAM = join(import.meta.dirname, 'print-identity.ts');
const hasProc = existsSync('/proc/self/stat');
const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc'] as const;
const canUnshare = hasProc && spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'true']).status === 0;

/** A process that runs until it is told to stop. */
interface Running extends AsyncDisposable {
  identity: string;
  /** Kills it. */
  end(): Promise<void>;
}

async function start([command, ...args]: readonly string[] = [process.execPath]): Promise<Running> {
  const child: ChildProcess = spawn(command as string, [...args, '--import', 'tsx', PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const end = async () => {
    child.kill('SIGKILL');
    child.stdin?.destroy(); // ends one that a killed `unshare` started
    await closed;
  };
  return { identity: line.toString().trim(), end, [Symbol.asyncDispose]: end };
}

const partsOf = (identity: string) => identity.split('.') as [string, string, string];

describe('the identity of a process', () => {
  it('is a text that a file name may hold', () => {
    expect(thisProcess).toMatch(/^\d+\.\d+\.[0-9a-f]{12}$/);
    expect(partsOf(thisProcess)[0]).toBe(String(process.pid));
  });

  it('shows nothing of the name of the machine', () => {
    expect(thisProcess).not.toContain(hostname());
  });
});

describe.skipIf(!hasProc)('a process', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'process-identity-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('is known to be dead when it has ended, and not before', async () => {
    await using child = await start();
    expect(partsOf(child.identity)[2]).toBe(partsOf(thisProcess)[2]);
    expect(isKnownDead(child.identity)).toBe(false);
    await child.end();
    expect(isKnownDead(child.identity)).toBe(true);
    expect(isKnownDead(thisProcess)).toBe(false);
  });

  it('is known to be dead when its pid belongs to a later one', async () => {
    await using child = await start();
    const [pid, startTime, space] = partsOf(child.identity);
    expect(isKnownDead(`${pid}.${Number(startTime) - 1}.${space}`)).toBe(true);
    expect(isKnownDead(`${pid}.${startTime}.${space}`)).toBe(false);
  });

  it('of another machine or container is not known to be dead, whatever runs here', async () => {
    await using child = await start();
    const [pid, startTime, space] = partsOf(child.identity);
    const elsewhere = space === '0'.repeat(12) ? '1'.repeat(12) : '0'.repeat(12);
    await child.end();
    expect(isKnownDead(`${pid}.${startTime}.${space}`)).toBe(true);
    expect(isKnownDead(`${pid}.${startTime}.${elsewhere}`)).toBe(false);
  });

  it.each(['a) R (b', ') 1 2 3 4 5', '((', 'a b c'])(
    'whose command is named "%s" is recognised',
    async (name) => {
      await symlink(process.execPath, join(scratch, name));
      await using before = await start();
      await using child = await start([join(scratch, name)]);
      await using after = await start();
      const startTimes = [before, child, after].map(({ identity }) => Number(partsOf(identity)[1]));
      expect(startTimes).toEqual([...startTimes].sort((a, b) => a - b));
      expect(isKnownDead(child.identity)).toBe(false);
      await child.end();
      expect(isKnownDead(child.identity)).toBe(true);
    },
  );

  it.skipIf(!canUnshare)('in another pid namespace is never known to be dead', async () => {
    await using child = await start([...UNSHARE, process.execPath]);
    expect(partsOf(child.identity)[2]).not.toBe(partsOf(thisProcess)[2]);
    await child.end();
    expect(isKnownDead(child.identity)).toBe(false);
  });
});

describe('a text that is no identity', () => {
  const [pid, startTime, space] = partsOf(thisProcess);
  it.each([
    '',
    'x',
    `${pid}.${space}`,
    `${pid}.${startTime}`,
    `99999999999.${startTime}.${space}`,
    `-1.${startTime}.${space}`,
    `0.${startTime}.${space}`,
    `1e3.${startTime}.${space}`,
    `${pid}.x.${space}`,
    `${pid}.1.${space}.more`,
    `${pid}.1.${space}\n`,
  ])('%j is no dead process', (text) => {
    expect(isKnownDead(text)).toBe(false);
  });
});
