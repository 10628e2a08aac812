/**
 * Loads into DuckDB and PostgreSQL, from a dump and straight from the API:
 * `npm run bench -- warehouse [users] [organizations] [formats]`; the table is Markdown. Needs the built command.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { startPostgres } from '../test/warehouse/support/postgres-server.js';
import { startFixtureProcess } from './fixture-process.js';
import { measured } from './measured.js';

const COMMAND = resolve(import.meta.dirname, '../dist/connectors/cli/main.js');
/** Of the clock in /proc, on every Linux of today. */
const TICKS_PER_SECOND = 100;

const [users = 1_000_000, organizations = 40] = process.argv.slice(2, 4).map(Number);
const formats = process.argv[4]?.split(',') ?? ['parquet', 'ndjson', 'csv'];
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
const server = await startPostgres();
if ('missing' in server) console.log(`not run: ${server.missing}`);
const api = await startFixtureProcess(users, organizations);
const environment = {
  ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
  ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
  ...('missing' in server ? {} : server.environment),
};
const steady = ['--requests-per-minute', '0', '--progress', 'none'];

const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

/** What the ended processes of the server took, in seconds. */
async function serverCpu(): Promise<number> {
  if ('missing' in server) return 0;
  const stat = await readFile(`/proc/${server.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

async function load(name: string, args: readonly string[]): Promise<void> {
  const before = await serverCpu();
  const { elapsed, cpu, peakRss } = await measured(
    [COMMAND, 'load', ...args, ...steady, '--state', join(folder, 'state')],
    environment,
  );
  const cells = [elapsed / 1000, cpu / 1e6, (await serverCpu()) - before].map((value) => value.toFixed(1));
  row([name, ...cells, Math.round(peakRss)]);
}

try {
  console.log(
    `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}; the API in a process of its own`,
  );
  console.log(`\n${users.toLocaleString('en-GB')} users in ${organizations} organisations\n`);
  row(['', 'wall s', 'CPU s', 'CPU s of the server', 'peak RSS MB']);
  row(['---', '---:', '---:', '---:', '---:']);
  const database = ['duckdb', '--database', join(folder, 'bench.duckdb')];
  for (const format of formats) {
    const out = join(folder, format);
    await measured([COMMAND, 'dump', '--out', out, '--format', format, ...steady], environment);
    await load(`DuckDB, from ${format}`, [...database, '--schema', format, '--from', out]);
    if (!('missing' in server)) {
      await load(`PostgreSQL, from ${format}`, ['postgres', '--schema', format, '--from', out]);
    }
  }
  const [first = ''] = formats;
  const again = ['--schema', first, '--from', join(folder, first)];
  await load('DuckDB, the date again', [...database, ...again]);
  await load('DuckDB, from the API', [...database, '--schema', 'api']);
  if (!('missing' in server)) {
    await load('PostgreSQL, the date again', ['postgres', ...again]);
    await load('PostgreSQL, from the API', ['postgres', '--schema', 'api']);
  }
} finally {
  await api[Symbol.asyncDispose]();
  if (!('missing' in server)) await server.stop();
  await rm(folder, { recursive: true, force: true });
}
