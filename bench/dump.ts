/**
 * The main job on loopback without a budget: 1,000,000 users in each format, and 3,000,000 for the memory, all in one
 * run on one machine. `npm run bench -- dump [users] [organizations] [formats]`; the table is Markdown.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { type Manifest, sinkFormats } from '../src/index.js';
import { type FixtureProcess, startFixtureProcess } from './fixture-process.js';
import { type Measured, measured } from './measured.js';

const COMMAND = resolve(import.meta.dirname, '../dist/connectors/cli/main.js');
const FLOOR = resolve(import.meta.dirname, 'floor.ts');
/** Organisations in flight, as `dump` has it by default. */
const CONCURRENCY = 8;
/** Megabytes: the bound on the peak, at any number of users. */
const BOUND = 350;
/** Megabytes by which the peak of the same program differs from run to run: how far the heap grows is V8's choice. */
const NOISE = 32;
/** Bytes for each user of the organisations in flight that dropping duplicates may add. */
const SEEN_BYTES = 32;

interface Case extends Measured {
  bytes?: number;
}

async function floor(api: FixtureProcess, users: number): Promise<Case> {
  const result = await measured(['--import', 'tsx', FLOOR, api.url, api.key, String(CONCURRENCY)], {});
  if (Number(result.stdout) !== users)
    throw new Error(`The floor read ${result.stdout} users, not ${users}.`);
  return result;
}

async function dump(api: FixtureProcess, users: number, format: string): Promise<Case> {
  const out = await mkdtemp(join(tmpdir(), 'bench-'));
  const flags = ['--format', format, '--out', out, '--requests-per-minute', '0', '--progress', 'none'];
  try {
    const result = await measured([COMMAND, 'dump', ...flags, '--json'], {
      ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
      ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
    });
    const { manifest }: { manifest: Manifest } = JSON.parse(result.stdout);
    const { tables, totals } = manifest;
    if (tables.users?.rows !== users)
      throw new Error(`${tables.users?.rows} users were published, not ${users}.`);
    return { ...result, bytes: totals.bytes };
  } finally {
    await rm(out, { recursive: true });
  }
}

const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

function print(name: string, users: number, { elapsed, cpu, peakRss, bytes }: Case, base: Case): void {
  row([
    name,
    Math.round((1000 * users) / elapsed).toLocaleString('en-GB'),
    (cpu / users).toFixed(1),
    (cpu / base.cpu).toFixed(1),
    Math.round(peakRss),
    bytes === undefined ? '' : (bytes / 1e6).toFixed(1),
  ]);
}

function head(users: number, organizations: number): void {
  console.log(`\n${users.toLocaleString('en-GB')} users in ${organizations} organisations\n`);
  row(['', 'rows/s', 'CPU µs/row', 'CPU ÷ floor', 'peak RSS MB', 'MB written']);
  row(['---', '---:', '---:', '---:', '---:', '---:']);
}

const [users = 1_000_000, organizations = 40] = process.argv.slice(2, 4).map(Number);
const formats = process.argv[4]?.split(',') ?? sinkFormats.map(({ name }) => name);
console.log(
  `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}; the API in a process of its own`,
);

const peaks = new Map<string, number>();
{
  await using api = await startFixtureProcess(users, organizations);
  head(users, organizations);
  const base = await floor(api, users);
  print('floor', users, base, base);
  for (const format of formats) {
    const result = await dump(api, users, format);
    peaks.set(format, result.peakRss);
    print(format, users, result, base);
  }
}
{
  // The same organisations, three times as large: their ids are what may take more memory.
  const more = 3 * users;
  await using api = await startFixtureProcess(more, organizations);
  head(more, organizations);
  const base = await floor(api, more);
  print('floor', more, base, base);
  const allowed = (SEEN_BYTES * CONCURRENCY * (more - users)) / organizations / 1e6;
  for (const format of formats) {
    const result = await dump(api, more, format);
    print(format, more, result, base);
    const growth = result.peakRss - (peaks.get(format) ?? 0);
    if (result.peakRss <= BOUND && growth <= allowed + NOISE) continue;
    process.exitCode = 1;
    console.error(
      `${format}: peak ${Math.round(result.peakRss)} MB (bound ${BOUND}), ${Math.round(growth)} MB more than with a third of the users (allowed ${allowed.toFixed(0)} and ${NOISE} of noise)`,
    );
  }
}
