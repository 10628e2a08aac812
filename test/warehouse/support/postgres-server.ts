import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A PostgreSQL of the test's own. */
export interface PostgresServer {
  host: string;
  port: number;
  user: string;
  password: string;
  /** The certificate of the authority that its own is signed by, for `localhost`. */
  rootCert: string;
  /** Of the server's first process, the parent of all others. */
  pid: number;
  /** What a process needs to reach it. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

const PASSWORD = 'p@ss/word:of the test';

/**
 * Starts a cluster in a temporary folder, on a free port, as the user `postgres` when this one is root, which
 * PostgreSQL refuses. Installs it by apt-get when it is missing and can be; else says in one line why not.
 */
export async function startPostgres(): Promise<PostgresServer | { missing: string }> {
  const binaries = (await findBinaries()) ?? (await install());
  if (binaries === undefined) return { missing: 'PostgreSQL is missing and apt-get could not install it' };
  const folder = await mkdtemp(join(tmpdir(), 'claude-compliance-postgres-'));
  const asServer = await serverUser(folder);
  const data = join(folder, 'data');
  const port = await freePort();
  const command = (name: string, args: readonly string[]): [string, string[]] =>
    asServer(join(binaries, name), args);

  await writeFile(join(folder, 'password'), PASSWORD, { mode: 0o644 });
  await run(
    ...command('initdb', [
      '--pgdata',
      data,
      '--username',
      'compliance',
      '--pwfile',
      join(folder, 'password'),
      '--auth',
      'scram-sha-256',
      '--encoding',
      'UTF8',
      '--locale',
      'C.UTF-8',
      '--no-sync',
    ]),
  );
  await makeCertificates(folder, asServer);
  const settings = {
    port,
    listen_addresses: 'localhost',
    unix_socket_directories: folder,
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: join(folder, 'server.crt'),
    ssl_key_file: join(folder, 'server.key'),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(...command('postgres', ['-D', data, ...options]), { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => server.on('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    await run(...command('pg_ctl', ['stop', '--pgdata', data, '--mode', 'immediate'])).catch(() => {});
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(() => run(...command('pg_isready', ['--host', 'localhost', '--port', String(port)])));
  } catch (error) {
    await stop();
    throw error;
  }
  const access = { host: 'localhost', port, user: 'compliance', password: PASSWORD };
  return {
    ...access,
    pid: Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]),
    rootCert: join(folder, 'root.crt'),
    environment: {
      PGHOST: access.host,
      PGPORT: String(port),
      PGUSER: access.user,
      PGPASSWORD: PASSWORD,
      PGDATABASE: 'postgres',
    },
    stop,
  };
}

async function findBinaries(): Promise<string | undefined> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const [newest] = versions.sort((a, b) => Number(b) - Number(a));
  if (newest !== undefined) return join('/usr/lib/postgresql', newest, 'bin');
  return await run('pg_config', ['--bindir']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

async function install(): Promise<string | undefined> {
  for (let tries = 0; tries < 2; tries++) {
    try {
      await run('apt-get', ['update']);
      await run('apt-get', ['install', '--yes', '--no-install-recommends', 'postgresql'], {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
      return await findBinaries();
    } catch {
      // A registry may be out of reach for a moment: once more, then it is said.
    }
  }
  return undefined;
}

type AsServer = (command: string, args: readonly string[]) => [string, string[]];

/** Runs a command as the server's user, to whom the folder then belongs. */
async function serverUser(folder: string): Promise<AsServer> {
  if (process.getuid?.() !== 0) return (command, args) => [command, [...args]];
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  );
  await chown(folder, uid ?? 0, gid ?? 0);
  await chmod(folder, 0o755);
  return (command, args) => ['runuser', ['-u', 'postgres', '--', command, ...args]];
}

/** An authority, and a certificate for `localhost` that it signed. */
async function makeCertificates(folder: string, asServer: AsServer): Promise<void> {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]) => run(...asServer('openssl', args), { cwd: folder });
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];
  await openssl(
    'req',
    '-x509',
    '-days',
    '2',
    '-subj',
    '/CN=the authority of the test',
    ...newKey,
    at('root.key'),
    '-out',
    at('root.crt'),
  );
  await openssl(
    'req',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    ...newKey,
    at('server.key'),
    '-out',
    at('server.csr'),
  );
  await openssl(
    'x509',
    '-req',
    '-days',
    '2',
    '-copy_extensions',
    'copy',
    '-in',
    at('server.csr'),
    '-CA',
    at('root.crt'),
    '-CAkey',
    at('root.key'),
    '-CAcreateserial',
    '-out',
    at('server.crt'),
  );
}

async function untilReady(probe: () => Promise<unknown>): Promise<void> {
  const limit = Date.now() + 60_000;
  while (true) {
    try {
      await probe();
      return;
    } catch (error) {
      if (Date.now() > limit) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
