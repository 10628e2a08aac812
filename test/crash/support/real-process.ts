import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import type { Served } from './served.js';
import { ROWS_PER_FILE } from './served.js';

const PRELOAD = resolve(import.meta.dirname, 'signal-at-step.mjs');
const PROJECT = resolve(import.meta.dirname, '../../..');

/** Makes a copy of the build, beside it so that its packages are found: others may build it again meanwhile. */
export async function copyOfBuild(name: string): Promise<string> {
  const copy = resolve(PROJECT, '.cache', name);
  await cp(resolve(PROJECT, 'dist'), copy, { recursive: true, force: true });
  return copy;
}

/** Where a command is run. */
export interface RealPlace {
  /** A folder, or `s3://bucket/prefix`. */
  root: string;
  state: string;
  /** Of the storage. */
  options?: Readonly<Record<string, string>>;
}

/** What is run: the arguments of `claude-compliance-connector`. */
export type RealCommand = (place: RealPlace) => string[];

const optionsOf = ({ options = {} }: RealPlace): string[] =>
  Object.entries(options).flatMap(([key, value]) => ['--storage-option', `${key}=${value}`]);

export const dumpCommand =
  (served: Served, runDate: string): RealCommand =>
  (place) => [
    ...['dump', '--out', place.root, '--state', place.state, '--run-date', runDate, '--back-dated'],
    ...['--format', 'ndjson', '--rows-per-file', `${ROWS_PER_FILE}`, '--page-size', `${ROWS_PER_FILE}`],
    ...[
      '--concurrency',
      '1',
      '--max-shrink',
      '100',
      '--requests-per-minute',
      '0',
      '--base-url',
      served.api.url,
    ],
    ...optionsOf(place),
  ];

export const compactCommand =
  (runDate: string): RealCommand =>
  (place) => [
    ...['compact', '--out', place.root, '--state', place.state, '--run-date', runDate],
    ...['--rows-per-file', `${ROWS_PER_FILE}`, ...optionsOf(place)],
  ];

/** Of every day but the newest one. */
export const pruneCommand: RealCommand = (place) => [
  ...['prune', '--out', place.root, '--keep-days', '1', ...optionsOf(place)],
];

interface Started {
  /** The folder of a build. */
  built: string;
  args: readonly string[];
  environment?: Readonly<Record<string, string>>;
}

/** A real process of `claude-compliance-connector`. */
export class RealProcess {
  readonly #ended: Promise<number | null>;
  stderr = '';

  private constructor(readonly child: ChildProcess) {
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.#ended = once(child, 'close').then(([code]) => code);
  }

  static start({ built, args, environment = {} }: Started): RealProcess {
    const program = resolve(built, 'connectors/cli/main.js');
    return new RealProcess(
      spawn(process.execPath, ['--import', PRELOAD, program, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-fixture', ...environment },
      }),
    );
  }

  /** @returns its exit code; null when it was killed */
  async end(): Promise<number | null> {
    return await this.#ended;
  }

  /** Waits until it is stopped. @returns false when it has ended without that */
  async stopped(): Promise<boolean> {
    let hasEnded = false;
    void this.#ended.then(() => {
      hasEnded = true;
    });
    while (!hasEnded) {
      const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8').catch(() => '');
      if (stat.slice(stat.lastIndexOf(')')).startsWith(') T')) return true;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  }
}
