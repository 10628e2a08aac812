import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';

/** What a process took from its start to its end. */
export interface Measured {
  /** Wall time, ms. */
  elapsed: number;
  /** User and system, µs. */
  cpu: number;
  /** The most memory it held at a time, MB of 10⁶ bytes. */
  peakRss: number;
  stdout: string;
}

/** Loaded before the program: writes what the process took where the environment says, when it ends. */
const PROBE = `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.BENCH_USAGE, JSON.stringify(process.resourceUsage())));`;

/** Runs a program of Node in a fresh process and measures it. */
export async function measured(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const usage = join(folder, 'usage.json');
  try {
    const startedAt = performance.now();
    const child = spawn(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(PROBE)}`, ...args],
      { env: { ...process.env, ...environment, BENCH_USAGE: usage }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const elapsed = performance.now() - startedAt;
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(await readFile(usage, 'utf8'));
    return { elapsed, cpu: userCPUTime + systemCPUTime, peakRss: (maxRSS * 1024) / 1e6, stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
