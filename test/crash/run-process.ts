import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import type { Command, Place } from './command.mjs';

const PROGRAM = resolve(import.meta.dirname, 'command.mjs');

/** Makes a copy of the build, beside it, so that its packages are found: nobody builds it anew under a running test. */
export async function copyOfBuild(name: string): Promise<string> {
  const copy = resolve(import.meta.dirname, '../../.cache', name);
  await cp(resolve(import.meta.dirname, '../../dist'), copy, { recursive: true, force: true });
  return copy;
}

interface Started {
  built: string;
  command: Command;
  place: Place;
  /** A module that is loaded before the program. */
  preload?: string;
  environment?: Record<string, string>;
  /** Is given what kills the process. */
  onStart?: (kill: () => void) => void;
}

/** Runs a command in a process of its own. @returns its exit code, null when it was killed */
export async function runProcess(started: Started): Promise<number | null> {
  const { built, command, place, preload, environment = {}, onStart } = started;
  const child = spawn(process.execPath, [...(preload ? ['--import', preload] : []), PROGRAM], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...environment,
      BUILT: built,
      COMMAND: JSON.stringify(command),
      PLACE: JSON.stringify(place),
    },
  });
  onStart?.(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== null && exitCode !== 0) throw new Error(`${command.name} failed: ${stderr}`);
  return exitCode;
}
