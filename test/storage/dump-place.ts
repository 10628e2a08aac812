import type { ChildProcess } from 'node:child_process';
import type { FixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, readManifest, type Storage, type Stream, streams } from '../../src/index.js';
import { environmentOf, say, start } from '../cli/command.js';
import { rowsOf } from '../run/support/tree.js';
import { expectedRows, inOrder, servedLists } from '../streams/support/expected.js';

export const RUN_DATE = '2026-11-23';

/** A kind of place that dumps go to: a local folder, or a bucket on a server of a test. */
export interface Place {
  /** A root that is empty, as `--out` takes it. */
  newRoot(): string;
  /** Opens a root without the command line. */
  open(root: string): Promise<Storage>;
  /** How the command line reaches it; through another address, where one is given. */
  flags(endpoint?: string): readonly string[];
  /** Credentials, where it needs any. */
  environment(): NodeJS.ProcessEnv;
}

/** What a command on a root needs besides its own flags. */
export interface Call {
  /** Its home folder, where the state of a bucket is: another machine has another one. */
  home: string;
  api?: FixtureApi;
  /** A proxy before the place. */
  endpoint?: string;
}

/** How a command ended, and all that it printed. */
export interface Printed {
  code: number;
  text: string;
}

/** The command line at a place, as a person types it. */
export interface CommandLine {
  run(command: string, flags: readonly string[], call: Call): Promise<Printed>;
  /** As a process of its own, which can be killed. */
  start(command: string, flags: readonly string[], call: Call): ChildProcess;
}

export function commandLine({ flags, environment }: Place): CommandLine {
  const settled = (own: readonly string[], { home, api, endpoint }: Call) => ({
    flags: [...own, ...flags(endpoint)],
    environment: environmentOf(api, { ...environment(), HOME: home }),
  });
  return {
    async run(command, own, call) {
      const at = settled(own, call);
      const { code, stdout, stderr } = await say([command, ...at.flags], at.environment);
      return { code, text: stdout + stderr };
    },
    start(command, own, call) {
      const at = settled(own, call);
      return start([command, ...at.flags], { env: at.environment, stdio: 'ignore' });
    },
  };
}

/** The flags of a dump of every stream into a root. */
export const dumpFlags = (root: string, runDate = RUN_DATE): string[] => [
  ...['--out', root, '--run-date', runDate, '--format', 'ndjson', '--streams', ...NAMES],
  ...['--progress', 'none', '--requests-per-minute', '0'],
];
const NAMES = streams.map(({ name }) => name);

type Row = Record<string, unknown>;
/** Rows by stream, in an order of their own. */
type Tables = Record<string, Row[]>;

/** What a fixture serves now, by stream, as rows. */
export const served = (api: FixtureApi, runDate = RUN_DATE): Tables =>
  tablesOf((stream) => expectedRows(stream, servedLists(api, stream), runDate));

/** What a run date holds, by stream, as its NDJSON files have it. */
export async function published(storage: Storage, runDate = RUN_DATE): Promise<Tables> {
  const manifest = await currentManifest(storage, runDate);
  const rows = new Map<Stream, Row[]>();
  for (const stream of streams) rows.set(stream, await rowsOf(storage, manifest, stream.name));
  return tablesOf((stream) => rows.get(stream) ?? []);
}

const tablesOf = (rows: (stream: Stream) => Row[]): Tables =>
  Object.fromEntries(streams.map((stream) => [stream.name, inOrder(stream, rows(stream))]));

/** The manifest that the log names last for a run date. */
export async function currentManifest(storage: Storage, runDate = RUN_DATE): Promise<Manifest> {
  const manifest = await readManifest(storage, runDate);
  if (!manifest) throw new Error(`Nothing was published on ${runDate}.`);
  return manifest;
}
