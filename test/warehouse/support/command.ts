import { Writable } from 'node:stream';
import { runCommandLine } from '../../../connectors/cli/command-line.js';
import type { FixtureApi } from '../../../fixtures/api/index.js';

export interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs one command line in this process, with just this environment, and without its events. */
export async function claudeCompliance(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  const into = (name: keyof typeof text) =>
    new Writable({
      write(chunk, _encoding, done) {
        text[name] += String(chunk);
        done();
      },
    });
  const exitCode = await runCommandLine(args, {
    stdout: into('stdout'),
    stderr: into('stderr'),
    environment: { CLAUDE_COMPLIANCE_PROGRESS: 'none', ...environment },
    signal: new AbortController().signal,
  });
  return { exitCode, ...text };
}

/** What a process needs to reach a fixture. */
export const environmentOf = (api: FixtureApi): Record<string, string> => ({
  ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
  ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
  CLAUDE_COMPLIANCE_BACK_DATED: 'true',
});

/** For loads from the API. */
export const UNHURRIED = ['--requests-per-minute', '0', '--progress', 'none'];
