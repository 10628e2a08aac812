import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A copy of a build that nobody compiles again while it is measured. */
export interface FrozenBuild extends AsyncDisposable {
  dist: string;
}

/** Next to the build, so that it finds the same packages. */
export async function freezeBuild(dist: string): Promise<FrozenBuild> {
  const cache = join(dirname(dist), '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'bench-build-'));
  const copy = join(folder, 'dist');
  await cp(dist, copy, { recursive: true });
  return {
    dist: copy,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
