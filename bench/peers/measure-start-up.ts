import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { measureProgram } from './measure-program.js';
import { startPageServer } from './page-server-process.js';
import { measureTree } from './process-tree.js';
import type { Program } from './program.js';
import { median, type Results } from './result.js';
import { sceneOf } from './scene.js';

/** What every other start is divided by. */
export const BARE_NODE = 'node -e 0';

/** Wall time from start to end of commands that read nothing, and from start to the first request of those that do. */
export async function measureStartUp(
  programs: readonly Program[],
  { dist, runs }: { dist: string; runs: number },
): Promise<Results['start-up']> {
  const command = join(dist, 'connectors/cli/main.js');
  const quick = [
    { name: BARE_NODE, argv: [process.execPath, '-e', '0'] },
    { name: '--version', argv: [process.execPath, command, '--version'] },
    { name: '--help', argv: [process.execPath, command, '--help'] },
    { name: 'dump --help', argv: [process.execPath, command, 'dump', '--help'] },
  ].map((started) => ({ ...started, wall: [] as number[], peakRss: [] as number[] }));
  const readers = programs
    .filter(({ name }) => FIRST_REQUESTS.includes(name))
    .map((program) => ({
      program,
      ready: program.prepare(),
      wall: [] as number[],
      peakRss: [] as number[],
      first: [] as number[],
    }));

  const scene = sceneOf('1x1');
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    await using server = await startPageServer(scene);
    for (let round = 0; round < runs; round += 1) {
      for (const { argv, wall, peakRss } of quick) {
        const cost = await measureTree({ argv, folder });
        wall.push(cost.wall);
        peakRss.push(cost.peakRss);
      }
      for (const { program, ready: preparing, wall, peakRss, first } of readers) {
        const ready = await preparing;
        if ('missing' in ready) continue;
        const measured = await measureProgram(program, { ready, server, scene });
        wall.push(measured.wall);
        peakRss.push(measured.peakRss);
        first.push(measured.firstRequest);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    runs,
    cases: [
      ...quick.map(({ name, wall, peakRss }) => ({ name, wall: median(wall), peakRss: median(peakRss) })),
      ...readers
        .filter(({ first }) => first.length > 0)
        .map(({ program, wall, peakRss, first }) => ({
          name: program.name,
          wall: median(wall),
          peakRss: median(peakRss),
          firstRequest: median(first),
        })),
    ],
  };
}

/** Programs whose first request is timed. */
const FIRST_REQUESTS: readonly string[] = [
  'floor-parse',
  'ours-parquet',
  'ours-ndjson',
  'ours-airbyte',
  'sdk-parquet',
];
