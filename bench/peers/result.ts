import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** When and where figures were taken. */
export interface Taken {
  /** Taken on a small scale, or on a machine that did other work: to see the form, not to be quoted. */
  isProvisional: boolean;
  at: string;
  machine: string;
}

/** The medians of one program in one scene. */
export interface Figures {
  name: string;
  title: string;
  group: 'floor' | 'ours' | 'peer';
  /** Seconds. */
  wall: number;
  /** Seconds, user and system, of the process tree. */
  cpu: number;
  /** MB of 10⁶ bytes, of the process tree. */
  peakRss: number;
  /** Seconds from the start of the program to its first request. */
  firstRequest: number;
  requests: number;
  rows: number;
  bytes: number;
  files: number;
  runs: number;
}

/** What each measure leaves, as JSON, in a file named after it. */
export interface Results {
  scene: {
    organizations: number;
    usersOfEach: number;
    latency: number;
    programs: Figures[];
    notRun: { title: string; reason: string }[];
    /** `name==version`, of each Python program. */
    packages: Record<string, readonly string[]>;
  };
  'start-up': {
    runs: number;
    cases: { name: string; wall: number; peakRss: number; firstRequest?: number }[];
  };
  memory: { cases: ({ organizations: number; usersOfEach: number } & Figures)[] };
  size: { layouts: { layout: string; rows: number; ours: number; duckdb: number }[] };
  layers: {
    users: number;
    /** µs of CPU a row, by layer. */
    formats: { format: string; layers: Record<string, number> }[];
  };
}

export type Result<K extends keyof Results> = Taken & Results[K];

/** @param isProvisional see `Taken` */
export const taken = (isProvisional: boolean): Taken => ({
  isProvisional,
  at: new Date().toISOString().slice(0, 10),
  machine: `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}`,
});

/** @param name of a measure, or of a scene: `scene-40x25000` */
export async function save(folder: string, name: string, result: object): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Undefined: it was not measured yet. */
export async function load<K extends keyof Results>(
  folder: string,
  name: K extends 'scene' ? `scene-${string}` : K,
): Promise<Result<K> | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Result<K>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The one in the middle; of two, the larger. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
