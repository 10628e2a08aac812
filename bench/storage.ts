/**
 * What publishing costs: `npm run bench -- storage [organisations] [users of each]`. The same dump goes to a local
 * folder and to an S3 server on this machine (moto, through a proxy that counts), each in a process of its own; the
 * API is the fixture. moto is one Python process, and slower than this program.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runCommandLine } from '../connectors/cli/command-line.js';
import { type FixtureApi, startFixtureApi } from '../fixtures/api/index.js';
import { createMotoBucket, startMoto } from '../test/storage/servers/moto.js';
import { type Seen, startProxy } from '../test/storage/servers/proxy.js';

interface Cost {
  seconds: number;
  cpuSeconds: number;
  peakMegabytes: number;
}

/** The dump itself; the last line it prints is what it cost. */
async function dump(args: readonly string[]): Promise<void> {
  const start = performance.now();
  const { stdout, stderr, env: environment } = process;
  const signal = new AbortController().signal;
  process.exitCode = await runCommandLine(['dump', ...args], { stdout, stderr, environment, signal });
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost: Cost = {
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMegabytes: maxRSS / 1024,
  };
  console.log(JSON.stringify(cost));
}

async function inOwnProcess(api: FixtureApi, args: readonly string[]): Promise<Cost> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      import.meta.filename,
      'dump',
      '--progress',
      'none',
      '--requests-per-minute',
      '0',
      ...args,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
        ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
        AWS_ACCESS_KEY_ID: 'AKIAOFNOBODY',
        AWS_SECRET_ACCESS_KEY: 'opens nothing',
      },
    },
  );
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== 0) throw new Error(`the dump ended with ${exitCode}: ${printed}`);
  return JSON.parse(printed.trim().split('\n').at(-1) ?? '');
}

/** Of a file of a table; control files are below `_runs`. */
const UPLOAD = /\/[a-z]\w*\/run_date=/;

/** In seconds, from the first file of a table that was uploaded to the last request. */
const publishing = (requests: readonly Seen[]): number => {
  const first = requests.find(({ method, url }) => method === 'PUT' && UPLOAD.test(decodeURIComponent(url)));
  return ((requests.at(-1)?.at ?? 0) - (first?.at ?? 0)) / 1000;
};

const counts = (requests: readonly Seen[]): string =>
  ['PUT', 'POST', 'GET', 'HEAD', 'DELETE']
    .map((method) => `${requests.filter((request) => request.method === method).length} ${method}`)
    .join(', ');

async function main(organizations: number, usersOfEach: number): Promise<void> {
  const moto = await startMoto();
  if ('missing' in moto) {
    console.log(`not run: ${moto.missing}`);
    return;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'bench-storage-'));
  const api = await startFixtureApi({ sizes: Array.from({ length: organizations }, () => usersOfEach) });
  await using proxy = await startProxy(moto.endpoint);
  const report = (where: string, { seconds, cpuSeconds, peakMegabytes }: Cost, more = '') =>
    console.log(
      `${where}: ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU, peak RSS ${peakMegabytes.toFixed(0)} MB${more}`,
    );
  try {
    console.log(`${organizations} organisations of ${usersOfEach} users, Parquet`);
    await createMotoBucket(moto.endpoint, 'lake');
    report('local folder', await inOwnProcess(api, ['--out', join(scratch, 'lake')]));
    const bucket = ['--storage-option', `endpoint=${proxy.endpoint}`, '--storage-option', 'region=us-east-1'];
    const state = ['--state', join(scratch, 'state')];
    for (const turn of ['S3, first time', 'S3, the same date again']) {
      const before = proxy.requests.length;
      const cost = await inOwnProcess(api, ['--out', 's3://lake/root', ...bucket, ...state]);
      const requests = proxy.requests.slice(before);
      report(turn, cost, `; publishing ${publishing(requests).toFixed(1)} s, ${counts(requests)}`);
    }
  } finally {
    await api.close();
    await moto.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

const [first, ...rest] = process.argv.slice(2);
if (first === 'dump') await dump(rest);
else await main(Number(first ?? 1000), Number(rest[0] ?? 1000));
