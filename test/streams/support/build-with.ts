import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../source-files.js';

/** A build of this package in a folder of its own. */
export interface Build {
  folder: string;
  library: typeof import('../../../src/index.js');
  remove(): Promise<void>;
}

const COPIED = ['src', 'connectors', 'fixtures', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const REGISTRY = 'src/streams/index.ts';

/**
 * Adds streams to a copy of the source as their authors would, by a file and a line in the registry each, and builds it.
 * Nothing else is changed: that is what the tests on it show.
 * @param names of files in `test/streams/made-up`
 */
export async function buildWith(names: readonly string[]): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), 'streams-'));
  for (const path of COPIED) await cp(join(ROOT, path), join(folder, path), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const name of names) await addStream(folder, name);
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, '-p', 'tsconfig.build.json', '--noCheck', '--declaration', 'false'],
    { cwd: folder, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`The build failed.\n${stdout}`);
  const library = (await import(join(folder, 'dist/src/index.js'))) as Build['library'];
  return { folder, library, remove: () => rm(folder, { recursive: true }) };
}

async function addStream(folder: string, name: string): Promise<void> {
  const own = await readFile(join(import.meta.dirname, '../made-up', `${name}.ts`), 'utf8');
  await writeFile(join(folder, `src/streams/${name}.ts`), own.replaceAll('../../../src/streams/', './'));
  const registry = await readFile(join(folder, REGISTRY), 'utf8');
  const added = registry.replace(/(?<=streams: readonly Stream\[\] = \[[^\]]+?)(?=,?\s*\])/, `, ${name}`);
  if (added === registry) throw new Error(`${REGISTRY} is not a list to which a stream can be added.`);
  await writeFile(join(folder, REGISTRY), `import { ${name} } from './${name}.js';\n${added}`);
}
