import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../connectors/airbyte/main.ts', import.meta.url));

/** The command that runs the source from its sources, before its own arguments. */
export const COMMAND: readonly [string, ...string[]] = [process.execPath, '--import', 'tsx', MAIN];

/** How a process ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** Starts the source as a process of its own. */
export function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ending> } {
  const [command, ...first] = COMMAND;
  const child = spawn(command, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }) as Ending);
  return { child, ended };
}

/** The most memory that a running process has held so far, in MB; undefined where the system does not tell. */
export function peakRss(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** The lines that arrived whole. */
export function wholeLines(chunks: readonly Buffer[]): string[] {
  const text = Buffer.concat(chunks).toString();
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}
