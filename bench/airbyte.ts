/**
 * What a read of the Airbyte source costs: `npm run bench -- airbyte [users] [users under PyAirbyte]`. The API is the
 * fixture, in a process of its own and without a budget; the source is the built command.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { catalogOf, configFor, file } from '../test/airbyte/harness.js';
import { install, peakRss } from '../test/airbyte/process.js';
import { REQUIREMENTS } from '../test/airbyte/requirements.js';
import { setup } from '../test/build.js';
import { venv } from '../test/python/venv.js';

const ROOT = resolve(import.meta.dirname, '..');
const ORGANIZATIONS = 100;

/** The fixture as a process, so that what it costs is not counted. */
async function startApi(users: number): Promise<{ url: string; key: string; child: ChildProcess }> {
  const main = resolve(ROOT, 'fixtures/api/main.ts');
  const size = ['--orgs', String(ORGANIZATIONS), '--users', String(users)];
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...size, '--json', '--exit-with-parent'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { ...(JSON.parse(line) as { url: string; key: string }), child };
}

interface Cost {
  records: number;
  seconds: number;
  /** In MB. */
  rss: string;
}

const report = (what: string, { records, seconds, rss }: Cost) =>
  console.log(
    `${what}: ${records} records in ${seconds.toFixed(1)} s = ${Math.round(records / seconds)} records/s, peak RSS ${rss}`,
  );

async function intoNothing(executable: string, config: string, records: number): Promise<Cost> {
  const nothing = openSync(devNull, 'w');
  const args = ['read', '--config', config, '--catalog', file(await catalogOf())];
  const start = performance.now();
  const child = spawn(executable, args, { stdio: ['ignore', nothing, 'inherit'] });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakRss(child.pid) ?? 0);
  }, 50);
  const [code] = await once(child, 'close');
  clearInterval(watch);
  closeSync(nothing);
  if (code !== 0) throw new Error(`the read ended with ${code}`);
  return { records, seconds: (performance.now() - start) / 1000, rss: `${peak.toFixed(0)} MB` };
}

async function intoPyAirbyte(python: string, executable: string, config: string): Promise<Cost> {
  const script = resolve(ROOT, 'test/airbyte/clients.py');
  const { stdout } = await promisify(execFile)(python, [script, 'bench', executable, config], {
    env: { ...process.env, AIRBYTE_OFFLINE_MODE: '1', DO_NOT_TRACK: '1' },
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const { records, seconds, client } = JSON.parse(last) as Record<string, number>;
  return {
    records: records ?? 0,
    seconds: seconds ?? 0,
    rss: `of PyAirbyte itself ${client?.toFixed(0)} MB`,
  };
}

async function main(users: number, usersUnderPyAirbyte: number): Promise<void> {
  setup();
  const executable = install();
  const api = await startApi(users);
  const config = file(configFor(api));
  report('into /dev/null', await intoNothing(executable, config, users + ORGANIZATIONS));
  api.child.stdin?.end();

  const environment = await venv('airbyte', REQUIREMENTS);
  if ('missing' in environment) {
    console.log(`not run: PyAirbyte: ${environment.missing}`);
    return;
  }
  const another = await startApi(usersUnderPyAirbyte);
  const cost = await intoPyAirbyte(environment.python, executable, file(configFor(another)));
  report('into PyAirbyte (DuckDB)', cost);
  another.child.stdin?.end();
}

const [users = '1000000', usersUnderPyAirbyte = '200000'] = process.argv.slice(2);
await main(Number(users), Number(usersUnderPyAirbyte));
