import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server of a test, on a free port of this machine. */
export interface ServerProcess {
  /** `http://127.0.0.1:40183` */
  endpoint: string;
  stop(): Promise<void>;
}

/** A server, or one plain line why there is none. */
export type Started = ServerProcess | { missing: string };

const START_LIMIT = 60_000;

/** Starts a program that prints where it listens, and waits until it has printed that. */
export async function startServerProcess(command: string, args: readonly string[]): Promise<ServerProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill();
  process.once('exit', kill);
  const ended = once(child, 'exit');
  let printed = '';
  const endpoint = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${command} does not print where it listens: ${printed}`)),
      START_LIMIT,
    );
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${printed}`)));
    const listen = (chunk: Buffer) => {
      printed = (printed + chunk).slice(-10_000);
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
      if (address === undefined) return;
      clearTimeout(late);
      resolve(address);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
  });
  return {
    endpoint,
    async stop() {
      process.off('exit', kill);
      child.kill();
      await ended;
    },
  };
}
