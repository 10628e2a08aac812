import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** Tests run the built commands as their users do: a source that is newer than the build is compiled first. */
export function setup(): void {
  const built = statSync(join(ROOT, 'dist/connectors/cli/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isStale = ['src', 'connectors'].some((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[jt]s$/.test(name))
      .some((name) => statSync(join(ROOT, folder, name)).mtimeMs > built),
  );
  if (!isStale) return;
  // Types are `npm run types`' business: here they would only take time.
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, '-p', 'tsconfig.build.json', '--noCheck'],
    {
      cwd: ROOT,
    },
  );
  if (status !== 0) throw new Error(`The build failed.\n${stdout}`);
}
