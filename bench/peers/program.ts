import type { Command } from './process-tree.js';
import type { Scene } from './scene.js';
import type { Rows } from './written.js';

/** Where a program reads and writes; the scripts get the same as `BENCH_URL`, `BENCH_KEY`, `BENCH_OUT`, `BENCH_IN_FLIGHT`. */
export interface Run {
  url: string;
  key: string;
  out: string;
  inFlight: number;
}

/** How to start a program that is installed. */
export interface Ready {
  command(run: Run): Promise<Pick<Command, 'argv' | 'env'>>;
  /** What its environment holds, as `name==version`: of Python programs. */
  packages?: readonly string[];
}

/** One that reads the directory: ours, a floor or a peer. */
export interface Program {
  /** For `--peers`. */
  name: string;
  title: string;
  group: 'floor' | 'ours' | 'peer';
  rows: Rows;
  /** Whether it is measured in a scene unless `--peers` says otherwise. */
  isIn(scene: Scene): boolean;
  /** Installs it, or says in one line why that is not possible. */
  prepare(): Promise<Ready | { missing: string }>;
}
