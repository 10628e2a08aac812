import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** A program, and where it runs. */
export interface Command {
  argv: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Its working folder, which also gets its `stdout` and `stderr`. */
  folder: string;
}

/** What a program and all that it started took. */
export interface Cost {
  /** Seconds. */
  wall: number;
  /** Seconds, of all processes that had ended and were waited for by their parents. */
  user: number;
  system: number;
  /** The most that all of them held at a time, MB of 10⁶ bytes; pages that they share count for each. */
  peakRss: number;
  /** ms since 1970. */
  startedAt: number;
}

/** Of the clock in /proc, on every Linux of today. */
const TICKS_PER_SECOND = 100;
/** Between two looks at the memory, in ms. A process that grows faster than that is caught by its own high-water mark. */
const SAMPLE_MS = 20;
/** Lines of stderr in an error. */
const TAIL = 5;

/** Runs a program to its end and measures its process tree. One at a time: it counts all children of this process. */
export async function measureTree({ argv, env = {}, folder }: Command): Promise<Cost> {
  const [program = '', ...args] = argv;
  const files = ['stdout', 'stderr'].map((name) => openSync(join(folder, name), 'w'));
  const before = childrenCpu();
  const startedAt = performance.timeOrigin + performance.now();
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', ...files],
  });
  const memory = watchMemory(child.pid ?? 0);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    const wall = (performance.timeOrigin + performance.now() - startedAt) / 1000;
    if (code !== 0) {
      const said = readFileSync(join(folder, 'stderr'), 'utf8').trimEnd().split('\n').slice(-TAIL).join('\n');
      throw new Error(`${argv.join(' ')} ended with ${signal ?? code}:\n${said}`);
    }
    const after = childrenCpu();
    return {
      wall,
      user: after.user - before.user,
      system: after.system - before.system,
      peakRss: memory.stop(),
      startedAt,
    };
  } finally {
    memory.stop();
    for (const file of files) closeSync(file);
  }
}

/** What the ended children of this process took, and theirs, in seconds. */
function childrenCpu(): { user: number; system: number } {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[13]) / TICKS_PER_SECOND, system: Number(fields[14]) / TICKS_PER_SECOND };
}

/** Looks at the memory of a process tree until it is stopped, which gives the peak in MB. */
function watchMemory(root: number): { stop(): number } {
  let peak = 0;
  const timer = setInterval(() => {
    let sum = 0;
    for (const pid of tree(root)) {
      const { now, most } = memoryOf(pid);
      sum += now;
      peak = Math.max(peak, most);
    }
    peak = Math.max(peak, sum);
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

/** A process and all that descend from it; those that end meanwhile are left out. */
function tree(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return [pid, ...children.flatMap((child) => tree(Number(child)))];
  } catch {
    return [];
  }
}

/** MB that a process holds now, and the most it ever held. */
function memoryOf(pid: number): { now: number; most: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (field: string): number =>
      (Number(status.match(`${field}:\\s+(\\d+) kB`)?.[1] ?? 0) * 1024) / 1e6;
    return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
  } catch {
    return { now: 0, most: 0 };
  }
}
