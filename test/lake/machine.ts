import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { FixtureApi } from '../../fixtures/api/index.js';
import { COMMAND, type Ended, ended, environmentOf } from '../cli/command.js';
import { temporaryFolder } from '../run/support/tree.js';

export const LAKE = resolve(import.meta.dirname, '../../connectors/lake');

/** A file of `connectors/lake`. */
export const lakeFile = (path: string): Promise<string> => readFile(join(LAKE, path), 'utf8');

/** How a schedule starts something. */
export interface Started {
  argv: readonly [string, ...string[]];
  environment?: NodeJS.ProcessEnv;
}

/** A machine as an operator sets it up, but in a folder, which the folders of a real one are below. */
export interface Machine {
  folder: string;
  /** A text in which the places of the real machine are those of this one. */
  moved(text: string): string;
  /** Configures one parent organisation. @returns its root */
  tenant(name: string, api: FixtureApi, more?: object): Promise<string>;
  run(started: Started): Promise<Ended>;
  /** Puts another command in the place of the real one: its runs end with these codes, one after the other. */
  replaceCommand(...codes: readonly number[]): Promise<void>;
  /** How often the replaced command was run. */
  runs(): Promise<number>;
  /** The seconds of each pause that a script has made; nobody waits for them here. */
  pauses(): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

const PLACES = [
  '/etc/claude-compliance-connector',
  '/usr/local/bin',
  '/run/secrets/claude-compliance-connector',
];

/** Sets one up, with the command and the scripts of the lake in its `/usr/local/bin`. */
export async function setUpMachine(): Promise<Machine> {
  const { path: folder, [Symbol.asyncDispose]: dispose } = await temporaryFolder();
  const moved = (text: string): string =>
    PLACES.reduce((all, place) => all.replaceAll(place, join(folder, place)), text);
  for (const place of PLACES) await mkdir(join(folder, place), { recursive: true });
  const bin = join(folder, '/usr/local/bin');
  await script(join(bin, 'claude-compliance-connector'), `exec '${process.execPath}' '${COMMAND}' "$@"`);
  await script(join(bin, 'sleep'), `echo "$1" >> '${folder}/pauses'`);
  await copyFile(join(LAKE, 'cron/again-on-75'), join(bin, 'again-on-75'));
  const environment = environmentOf();

  return {
    folder,
    moved,
    async tenant(name, api, more = {}) {
      const key = join(folder, '/etc/claude-compliance-connector', `${name}.key`);
      const out = join(folder, 'lake', name);
      const settings = {
        'base-url': api.url,
        'max-retries': 0,
        'requests-per-minute': 0,
        format: ['ndjson'],
      };
      await writeFile(key, `${api.key}\n`);
      await writeFile(
        join(folder, '/etc/claude-compliance-connector', `${name}.json`),
        JSON.stringify({ out, 'api-key-file': key, ...settings, ...more }),
      );
      return out;
    },
    run({ argv: [program, ...args], environment: more }) {
      const env = { ...environment, PATH: `${bin}:${environment.PATH}`, ...more };
      return ended(spawn(program, args, { cwd: folder, env }));
    },
    async replaceCommand(...codes) {
      const runs = join(folder, 'runs');
      const count = `echo "$@" >> '${runs}'; run=$(wc -l < '${runs}')`;
      await script(
        join(bin, 'claude-compliance-connector'),
        `${count}\nset -- ${codes.join(' ')}\neval "exit \\$$run"`,
      );
    },
    runs: async () => (await linesOf(join(folder, 'runs'))).length,
    pauses: () => linesOf(join(folder, 'pauses')),
    [Symbol.asyncDispose]: dispose,
  };
}

/** None when there is no such file. */
const linesOf = (path: string): Promise<string[]> =>
  readFile(path, 'utf8').then(
    (text) => text.trim().split('\n'),
    () => [],
  );

async function script(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}
