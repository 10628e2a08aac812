import { figuresOf, type Measured, measureProgram } from './measure-program.js';
import { startPageServer } from './page-server-process.js';
import type { Program, Ready } from './program.js';
import type { Results } from './result.js';
import type { Scene } from './scene.js';

/** One round after the other, each with every program, so that a busy minute of the machine is shared by all. */
export async function measureScene(
  scene: Scene,
  { programs, runs, log }: { programs: readonly Program[]; runs: number; log(line: string): void },
): Promise<Results['scene']> {
  const notRun: { title: string; reason: string }[] = [];
  const packages: Record<string, readonly string[]> = {};
  const prepared: { program: Program; ready: Ready; measured: Measured[] }[] = [];
  for (const program of programs) {
    const ready = await program.prepare();
    if ('missing' in ready) {
      log(`not run: ${program.title}: ${ready.missing}`);
      notRun.push({ title: program.title, reason: ready.missing });
      continue;
    }
    if (ready.packages) packages[program.name] = ready.packages;
    prepared.push({ program, ready, measured: [] });
  }

  await using server = await startPageServer(scene);
  for (let round = 1; round <= runs; round += 1) {
    for (const { program, ready, measured } of prepared) {
      const result = await measureProgram(program, { ready, server, scene });
      measured.push(result);
      const { wall, user, system, peakRss } = result;
      log(
        `${round}/${runs} ${program.name}: ${(user + system).toFixed(2)} s of CPU, ${wall.toFixed(1)} s, ${peakRss.toFixed(0)} MB`,
      );
    }
  }
  const figures = prepared.map(({ program, measured }) => figuresOf(program, measured));
  return { ...scene, programs: figures, notRun, packages };
}
