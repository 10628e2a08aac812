/** `npm run bench` runs the first, `npm run bench -- NAME [arguments]` any: each is a script of its own, in this folder. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

/** A new benchmark is one file and one line here. */
const benchmarks: readonly { name: string; summary: string }[] = [
  { name: 'dump', summary: 'the main job in each format, and reading alone: time, CPU, memory' },
  {
    name: 'peers',
    summary: 'the main job beside an SDK, dlt, Singer and Airbyte, and what it can cost at least',
  },
  { name: 'budget', summary: 'how much of the budget is used, and how often it is exceeded' },
  { name: 'airbyte', summary: 'a read of the Airbyte source, into nothing and into PyAirbyte' },
  { name: 'sinks', summary: 'what each format costs' },
  { name: 'warehouse', summary: 'a million users loaded into DuckDB and PostgreSQL' },
  { name: 'storage', summary: 'a million users published to a folder and to S3' },
  { name: 'diff', summary: 'what changed between two days of five million users: time and memory' },
  { name: 'access', summary: 'who may do what, derived from a snapshot of a million users: time and memory' },
  { name: 'layout', summary: 'queries for one day and one organisation in both layouts, and compaction' },
];

const [name = 'dump', ...args] = process.argv.slice(2);
if (benchmarks.some((benchmark) => benchmark.name === name)) {
  const script = join(import.meta.dirname, `${name}.ts`);
  process.exitCode =
    spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { stdio: 'inherit' }).status ?? 1;
} else {
  for (const { name, summary } of benchmarks) console.log(`npm run bench -- ${name}: ${summary}`);
  process.exitCode = 2;
}
