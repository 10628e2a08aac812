import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
const INSTALL_LIMIT = 8 * 60 * 1000;

/** An interpreter with the requirements, or one plain line why there is none. */
export type Venv = { python: string } | { missing: string };

/**
 * A virtual environment of Python with just these requirements, made once and kept in `.cache/`. Start what it holds
 * by `python -m module`: its scripts hold the path under which it was made.
 * @param requirements each pinned: `moto[server]==5.2.0`
 */
export async function venv(name: string, requirements: readonly string[]): Promise<Venv> {
  const loose = requirements.find((requirement) => !requirement.includes('=='));
  if (loose !== undefined) throw new TypeError(`${loose} is not pinned: write name==version`);
  const version = await output('python3', ['--version']);
  if (version === undefined) return { missing: 'Python is missing (no python3 on the PATH)' };

  const hash = createHash('sha256')
    .update([version, ...requirements].join('\n'))
    .digest('hex')
    .slice(0, 12);
  const folder = join(CACHE, `venv-${name}-${hash}`);
  const python = join(folder, 'bin', 'python');
  let reason = '';
  for (let tries = 0; tries < 2; tries++) {
    if (await exists(python)) return { python };
    try {
      await make(folder, requirements);
    } catch (error) {
      reason = lastLine(error);
    }
  }
  return (await exists(python))
    ? { python }
    : { missing: `Python packages could not be installed (${requirements.join(', ')}): ${reason}` };
}

/** Made under another name and renamed: a folder that is there is complete, also when two processes make it at once. */
async function make(folder: string, requirements: readonly string[]): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    await rm(unfinished, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', unfinished], { timeout: INSTALL_LIMIT });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
    await run(join(unfinished, 'bin', 'python'), [...pip, ...requirements], { timeout: INSTALL_LIMIT });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const output = (command: string, args: readonly string[]): Promise<string | undefined> =>
  run(command, args).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The last line of pip's output is the reason; there are pages before it. */
function lastLine(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  return stderr.trim().split('\n').at(-1) || message;
}
