import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The built command, as npm installs it. */
const MAIN = resolve(import.meta.dirname, '../../dist/connectors/airbyte/main.js');

/** Puts the command into a folder of its own, as npm does. @returns its path */
export function install(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'bin-')), 'source-claude-compliance');
  writeFileSync(path, `#!/bin/sh\necho $$ >> "${idsOf(path)}"\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The id of the process in which an installed command was started last. */
export const lastProcess = (path: string): number =>
  Number(readFileSync(idsOf(path), 'utf8').trimEnd().split('\n').at(-1));

const idsOf = (path: string): string => `${path}.pids`;

/** How a process ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** Starts the built source as a process of its own. */
export function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ending> } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }) as Ending);
  return { child, ended };
}

/** The most memory that a running process has held so far, in MB; undefined where the system does not say. */
export function peakRss(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** The lines that arrived completely. */
export function wholeLines(chunks: readonly Buffer[]): string[] {
  const text = Buffer.concat(chunks).toString();
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}
