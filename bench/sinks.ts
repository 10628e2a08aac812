/**
 * What each sink costs: `npm run bench -- sinks [rows] [files at a time]`. Every case runs in a process of its own,
 * which makes its rows as they are asked for; the CPU time of making them is subtracted.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createSink, type Row, sinkFormats, users } from '../src/index.js';

const PAGE = 1000;
const ROLES = ['user', 'user', 'user', 'developer', 'admin', 'billing'];

function user(i: number): Row {
  const id = createHash('md5').update(String(i)).digest('hex');
  return {
    organization_uuid: '0d5f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f11',
    id: `user_01${id.slice(0, 22)}`,
    full_name: `Given-${id.slice(0, 4)} Family-${id.slice(4, 9)}`,
    email: i % 50 === 0 ? null : `given.${id.slice(0, 9)}@example.com`,
    organization_role: ROLES[i % ROLES.length] ?? null,
    created_at: `2025-0${1 + (i % 9)}-1${i % 10}T0${i % 8}:${10 + (i % 50)}:1${i % 9}.${String(i % 1e6).padStart(6, '0')}Z`,
    snapshot_date: '2026-11-23',
    extra: i % 20 === 0 ? { seat_tier: 'premium', groups: [i % 7] } : null,
  };
}

async function* pages(rows: number, from: number): AsyncGenerator<Row[]> {
  for (let start = 0; start < rows; start += PAGE) {
    yield Array.from({ length: Math.min(PAGE, rows - start) }, (_, i) => user(from + start + i));
    await new Promise(setImmediate); // as a page that comes from a socket
  }
}

/** Reads as many files at a time as `parallel` says and throws their bytes away. */
async function measure(format: string, compression: string, rows: number, parallel: number): Promise<void> {
  let bytes = 0;
  const drain = async (from: number) => {
    const batches = pages(rows, from);
    if (format === 'nothing') for await (const page of batches) bytes += page.length;
    else
      for await (const chunk of createSink(format, { compression }).encode(users.schema, batches))
        bytes += chunk.length;
  };
  await Promise.all(Array.from({ length: parallel }, (_, i) => drain(i * rows)));
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  console.log(
    JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / (rows * parallel), rss: maxRSS / 1024, bytes }),
  );
}

function inOwnProcess(...args: (string | number)[]): { cpu: number; rss: number; bytes: number } {
  const script = fileURLToPath(import.meta.url);
  const { stdout, stderr } = spawnSync(process.execPath, [
    '--import',
    'tsx',
    script,
    'case',
    ...args.map(String),
  ]);
  if (stdout.length === 0) throw new Error(String(stderr));
  return JSON.parse(String(stdout));
}

async function main([first, ...rest]: readonly string[]): Promise<void> {
  if (first === 'case') {
    const [format = '', compression = '', rows, parallel] = rest;
    return measure(format, compression, Number(rows), Number(parallel));
  }
  const rows = Number(first ?? 1_000_000);
  const parallel = Number(rest[0] ?? 1);
  const floor = inOwnProcess('nothing', 'none', rows, parallel);
  console.log(
    `${parallel} × ${rows} rows; making them: ${floor.cpu.toFixed(1)} µs CPU a row, ${floor.rss.toFixed(0)} MB`,
  );
  for (const { name, compressions } of sinkFormats) {
    for (const compression of compressions) {
      const { cpu, rss, bytes } = inOwnProcess(name, compression, rows, parallel);
      const figures = [(cpu - floor.cpu).toFixed(1), rss.toFixed(0), (bytes / 1e6).toFixed(1)];
      console.log(
        `${`${name}, ${compression}`.padEnd(20)} ${figures[0]} µs CPU a row, peak ${figures[1]} MB, ${figures[2]} MB written`,
      );
    }
  }
}

await main(process.argv.slice(2));
