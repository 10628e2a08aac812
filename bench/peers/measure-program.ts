import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PageServer } from './page-server-process.js';
import { type Cost, measureTree } from './process-tree.js';
import type { Program, Ready } from './program.js';
import { type Figures, median } from './result.js';
import { IN_FLIGHT, type Scene, usersIn } from './scene.js';
import { type Written, written } from './written.js';

const KEY = 'sk-ant-api01-bench';

/** What one run took, and what it wrote. */
export type Measured = Cost & Written & { requests: number; firstRequest: number };

/** Runs a program once and checks that it wrote every user. @throws if it did not */
export async function measureProgram(
  program: Pick<Program, 'name' | 'group' | 'rows'>,
  { ready, server, scene }: { ready: Ready; server: PageServer; scene: Scene },
): Promise<Measured> {
  const out = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    // Peers are quickest one by one where answers take no time; our own default is 8, and so is the floor's.
    const inFlight = scene.latency === 0 && program.group === 'peer' ? 1 : IN_FLIGHT;
    const run = { url: server.url, key: KEY, out, inFlight };
    const { argv, env } = await ready.command(run);
    const bench = {
      BENCH_URL: run.url,
      BENCH_KEY: run.key,
      BENCH_OUT: out,
      BENCH_IN_FLIGHT: String(inFlight),
    };
    await server.seen();
    const cost = await measureTree({ argv, env: { ...bench, ...env }, folder: out });
    const { requests, firstRequestAt } = await server.seen();
    const found = await written(out, program.rows).catch((error: unknown) => {
      throw new Error(`${program.name}: what it wrote cannot be read`, { cause: error });
    });
    if (found.rows !== usersIn(scene))
      throw new Error(`${program.name} wrote ${found.rows} users of ${usersIn(scene)}`);
    return { ...cost, ...found, requests, firstRequest: (firstRequestAt - cost.startedAt) / 1000 };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** The medians of several runs, each figure for itself. */
export function figuresOf(
  { name, title, group }: Pick<Program, 'name' | 'title' | 'group'>,
  runs: readonly Measured[],
): Figures {
  const of = (figure: (run: Measured) => number): number => Number(median(runs.map(figure)).toFixed(3));
  return {
    name,
    title,
    group,
    wall: of(({ wall }) => wall),
    cpu: of(({ user, system }) => user + system),
    peakRss: of(({ peakRss }) => peakRss),
    firstRequest: of(({ firstRequest }) => firstRequest),
    requests: of(({ requests }) => requests),
    rows: of(({ rows }) => rows),
    bytes: of(({ bytes }) => bytes),
    files: of(({ files }) => files),
    runs: runs.length,
  };
}
