import { figuresOf, measureProgram } from './measure-program.js';
import { startPageServer } from './page-server-process.js';
import type { Program } from './program.js';
import type { Results } from './result.js';
import { type Scene, usersIn } from './scene.js';

/** Both layouts of Parquet: what a thousand lists, and as many files or one, take with ten times the users. */
const MANY = ['ours-parquet', 'ours-parquet-per-date'];
const GROWTH = 10;

/** The peak of each format in each layout, with the users of a scene and with ten times as many; one run each. */
export async function measureMemory(
  scene: Scene,
  { programs, log }: { programs: readonly Program[]; log(line: string): void },
): Promise<Results['memory']> {
  const large = { ...scene, usersOfEach: scene.usersOfEach * GROWTH };
  const many = { ...large, organizations: 1000, usersOfEach: Math.ceil(usersIn(large) / 1000) };
  const some = programs.filter(({ group, name }) => group === 'ours' || name === 'sdk-parquet');
  const cases: Results['memory']['cases'] = [];
  for (const [size, chosen] of [
    [scene, some],
    [large, some],
    [many, some.filter(({ name }) => MANY.includes(name))],
  ] as const) {
    await using server = await startPageServer(size);
    for (const program of chosen) {
      const ready = await program.prepare();
      if ('missing' in ready) continue;
      const figures = figuresOf(program, [await measureProgram(program, { ready, server, scene: size })]);
      log(
        `${usersIn(size)} users, ${program.name}: ${figures.peakRss.toFixed(0)} MB, ${figures.cpu.toFixed(1)} s of CPU`,
      );
      cases.push({ organizations: size.organizations, usersOfEach: size.usersOfEach, ...figures });
    }
  }
  return { cases };
}
