import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Scene } from './scene.js';

/** The server of a scene, in a process of its own. */
export interface PageServer extends AsyncDisposable {
  url: string;
  /** What was asked since the last call. */
  seen(): Promise<{ requests: number /** ms since 1970; 0: none came */; firstRequestAt: number }>;
}

/** Ready when all pages are serialised: some seconds for each million users. */
export async function startPageServer({ organizations, usersOfEach, latency }: Scene): Promise<PageServer> {
  const script = join(import.meta.dirname, 'page-server.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', script, String(organizations), String(usersOfEach)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The page server ended with ${code}`);
  });
  ended.catch(() => {}); // also when it ends because it should
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const seen = async () =>
    (await fetch(`${url}/bench/next?latency=${latency}`)).json() as ReturnType<PageServer['seen']>;
  await seen();
  return {
    url,
    seen,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended.catch(() => {});
    },
  };
}
