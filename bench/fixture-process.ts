import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

/** A fixture API in a process of its own, so that its time and memory are not the reader's. */
export interface FixtureProcess {
  url: string;
  key: string;
  [Symbol.asyncDispose](): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '..');

/** Serves so many users in so many organisations of the same size, without a budget. */
export async function startFixtureProcess(users: number, organizations: number): Promise<FixtureProcess> {
  const sizes = Array.from({ length: organizations }, () => Math.ceil(users / organizations));
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      join(ROOT, 'fixtures/api/main.ts'),
      '--json',
      '--exit-with-parent',
      '--options',
      JSON.stringify({ sizes }),
    ],
    { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    ...(JSON.parse(line) as { url: string; key: string }),
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit');
      child.stdin.end();
      await exit;
    },
  };
}
