import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { FixtureApi } from '../../../fixtures/api/index.js';
import type { Build } from './build-with.js';

/** What a command printed, and how it ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** The command line of a build, for one server. */
export interface Commands {
  /** Runs a command in this process. */
  run(...args: readonly string[]): Promise<Ended>;
  /** Starts a command as a process of its own. */
  start(...args: readonly string[]): ChildProcess;
  /** Runs the Airbyte source as a process of its own. @returns its messages */
  airbyte(...args: readonly string[]): Promise<Record<string, unknown>[]>;
}

type RunCommandLine = typeof import('../../../connectors/cli/command-line.js').runCommandLine;

export async function commandsOf({ folder }: Build, api: FixtureApi): Promise<Commands> {
  const cli = join(folder, 'dist/connectors/cli');
  const module: { runCommandLine: RunCommandLine } = await import(join(cli, 'command-line.js'));
  const environment = {
    PATH: process.env.PATH,
    ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
    ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
    CLAUDE_COMPLIANCE_BACK_DATED: 'true',
  };
  return {
    async run(...args) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const { signal } = new AbortController();
      const running = module.runCommandLine(args, { stdout, stderr, environment, signal }).finally(() => {
        stdout.end();
        stderr.end();
      });
      const [out, err, code] = await Promise.all([text(stdout), text(stderr), running]);
      return { code, stdout: out, stderr: err };
    },
    start: (...args) =>
      spawn(process.execPath, [join(cli, 'main.js'), ...args], { env: environment, stdio: 'ignore' }),
    async airbyte(...args) {
      const main = join(folder, 'dist/connectors/airbyte/main.js');
      const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { maxBuffer: 2 ** 26 });
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    },
  };
}

/** Ends a process at once, as a crash would. */
export async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
