import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Venv, venv } from '../../test/python/venv.js';
import type { Ready } from './program.js';

/** Makes the environments and gives their interpreters to `ready`. */
export async function installed(
  environments: readonly (readonly string[])[],
  ready: (pythons: [string, string]) => Promise<Ready>,
): Promise<Ready | { missing: string }> {
  const made: Venv[] = [];
  for (const requirements of environments)
    made.push(await venv(`bench-${requirements[0]?.split(/[[=]/)[0]}`, requirements));
  const missing = made.find((environment) => 'missing' in environment);
  if (missing && 'missing' in missing) return { missing: missing.missing };
  const interpreters = made.map((environment) => (environment as { python: string }).python);
  const frozen = await Promise.all(interpreters.map(packagesOf));
  return { ...(await ready(interpreters as [string, string])), packages: frozen.flat() };
}

async function packagesOf(interpreter: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(interpreter, ['-m', 'pip', 'freeze', '--all']);
  return stdout.trim().split('\n');
}
