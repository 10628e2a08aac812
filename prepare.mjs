/**
 * Compiles into dist/, when npm installs a checkout and before it packs one. Where the compiler is not installed
 * (`npm ci --omit=dev`), an existing build is kept. When the compiler fails, so does the installation.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';

/** The compiler's path; undefined when it is not installed. */
function compilerPath() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

const compiler = compilerPath();
if (compiler) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else if (!existsSync(new URL('dist/src/index.js', import.meta.url))) {
  console.warn('Not built: TypeScript is a development dependency. Run `npm ci`, or copy a dist/ here.');
}
