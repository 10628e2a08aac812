import { spawnSync } from 'node:child_process';

interface Stream {
  name: string;
}

interface Message {
  type: string;
  catalog?: { streams: Stream[] };
}

const WANTED = ['organizations', 'users'];

/** A configured catalog of what a source says that it can read: all of it, the organisations and their users. */
export function airbyteCatalog(discover: readonly string[]): string {
  const [program = '', ...args] = discover;
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${discover.join(' ')} ended with ${status}:\n${stderr}`);
  const messages = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Message);
  const found = messages.flatMap(({ catalog }) => catalog?.streams ?? []);
  const streams = found.filter(({ name }) => WANTED.includes(name));
  return JSON.stringify({
    streams: streams.map((stream) => ({
      stream,
      sync_mode: 'full_refresh',
      destination_sync_mode: 'overwrite',
    })),
  });
}
