import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommandLine } from '../../connectors/cli/command-line.js';
import type { FixtureApi } from '../../fixtures/api/index.js';

/** The built command, as npm installs it. */
export const COMMAND = resolve(import.meta.dirname, '../../dist/connectors/cli/main.js');

/** How a command ended, and what it printed. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The environment of a command: that of these tests without what the command itself would read. */
export function environmentOf(api?: FixtureApi, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  const connection = api && {
    ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
    ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
  };
  // Most dumps of tests have a date of their own.
  return { PATH, HOME, TMPDIR, CLAUDE_COMPLIANCE_BACK_DATED: 'true', ...connection, ...more };
}

/** Starts the command as a process of its own. */
export const start = (args: readonly string[], options: SpawnOptions = {}): ChildProcess =>
  spawn(process.execPath, [COMMAND, ...args], { env: environmentOf(), ...options });

/** Waits for a process's end. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    exit,
  ]);
  return { code, signal, stdout, stderr };
}

/** Runs the command as a process of its own. */
export const run = async (args: readonly string[], options: SpawnOptions = {}): Promise<Ended> =>
  await ended(start(args, options));

/** Runs a command line in this process: faster, where only the text matters. */
export async function say(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  const [code, out, err] = await Promise.all([
    runCommandLine(args, { stdout, stderr, environment, signal }).finally(() => {
      stdout.end();
      stderr.end();
    }),
    text(stdout),
    text(stderr),
  ]);
  return { code, stdout: out, stderr: err };
}
