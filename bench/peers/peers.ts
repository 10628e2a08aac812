import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { airbyteCatalog } from './airbyte-catalog.js';
import { installed } from './installed.js';
import type { Program, Ready, Run } from './program.js';
import { DEFAULT_SIZE, type Scene, sceneOf } from './scene.js';
import type { Rows } from './written.js';

const SCRIPTS = join(import.meta.dirname, 'python');
const script = (name: string): string => join(SCRIPTS, name);

/** What each peer needs, in an environment of its own. The public SDK is used as it is installed, and never read. */
const PYARROW = 'pyarrow==26.0.1';
const SDK = ['claude-compliance-sdk==0.3.0', PYARROW];
const DLT = ['dlt[parquet]==1.31.0', PYARROW];
const SINGER = ['singer-sdk==0.54.9'];
const TARGET = ['target-jsonl==0.1.4'];
const AIRBYTE = ['airbyte-cdk==7.39.1'];

const QUIET = { RUNTIME__DLTHUB_TELEMETRY: 'false', RUNTIME__LOG_LEVEL: 'ERROR', DO_NOT_TRACK: '1' };

const isDefault = ({ organizations }: Scene): boolean =>
  organizations === sceneOf(DEFAULT_SIZE).organizations;
const withoutLatency = ({ latency }: Scene): boolean => latency === 0;
/** Where a run takes minutes. */
const once = (scene: Scene): boolean => isDefault(scene) && withoutLatency(scene);

/** A script of ours that uses one of them. */
function python(
  name: string,
  peer: { title: string; requirements: readonly string[]; rows: Rows; isIn: Program['isIn']; args: string[] },
): Program {
  const { title, requirements, rows, isIn, args } = peer;
  return {
    name,
    title,
    group: 'peer',
    rows,
    isIn,
    prepare: () =>
      installed([requirements], async ([interpreter]) => ({
        command: async ({ out }) => ({
          argv: [interpreter, ...args],
          env: { ...QUIET, DLT_DATA_DIR: join(out, 'dlt'), EXTRACT__WORKERS: '8' },
        }),
      })),
  };
}

/** Everything that is compared with us; each is measured with what it offers for the scene. */
export const peers: readonly Program[] = [
  python('sdk-parquet', {
    title: 'claude-compliance-sdk 0.3.0 + pyarrow 26, Parquet',
    requirements: SDK,
    rows: { reader: 'parquet', files: /^users\.parquet$/ },
    isIn: withoutLatency,
    args: [script('sdk.py'), 'parquet'],
  }),
  python('sdk-ndjson', {
    title: 'claude-compliance-sdk 0.3.0, NDJSON',
    requirements: SDK,
    rows: { reader: 'ndjson', files: /^users\.ndjson$/ },
    isIn: withoutLatency,
    args: [script('sdk.py'), 'ndjson'],
  }),
  python('sdk-async', {
    title: 'claude-compliance-sdk 0.3.0 (async) + pyarrow 26, Parquet',
    requirements: SDK,
    rows: { reader: 'parquet', files: /^users\.parquet$/ },
    isIn: (scene) => !withoutLatency(scene),
    args: [script('sdk_async.py')],
  }),
  python('dlt-arrow', {
    title: 'dlt 1.31, a source that yields Arrow tables, Parquet',
    requirements: DLT,
    rows: { reader: 'parquet', files: /^data\/directory\/users\/.*\.parquet$/ },
    isIn: () => true,
    args: [script('dlt_arrow.py')],
  }),
  python('dlt-rest-parquet', {
    title: 'dlt 1.31 rest_api, Parquet',
    requirements: DLT,
    rows: { reader: 'parquet', files: /^data\/directory\/users\/.*\.parquet$/ },
    isIn: once,
    args: [script('dlt_rest.py'), 'parquet'],
  }),
  python('dlt-rest-jsonl', {
    title: 'dlt 1.31 rest_api, jsonl.gz',
    requirements: DLT,
    rows: { reader: 'ndjson', files: /^data\/directory\/users\/.*\.jsonl\.gz$/ },
    isIn: once,
    args: [script('dlt_rest.py'), 'jsonl'],
  }),
  {
    name: 'singer-tap',
    title: 'singer-sdk 0.54.9, a tap alone, to a file',
    group: 'peer',
    rows: { reader: 'singer', files: /^stdout$/ },
    isIn: once,
    prepare: () =>
      installed([SINGER], async ([interpreter]) => ({
        command: async (run) => ({ argv: [interpreter, ...(await tap(run))] }),
      })),
  },
  {
    name: 'singer-target',
    title: 'singer-sdk 0.54.9, a tap with target-jsonl',
    group: 'peer',
    rows: { reader: 'ndjson', files: /^data\/users.*\.jsonl$/ },
    isIn: once,
    prepare: () =>
      installed([SINGER, TARGET], async ([source, target]) => ({
        async command(run) {
          const config = join(run.out, 'target.json');
          await mkdir(join(run.out, 'data'));
          await writeFile(config, JSON.stringify({ destination_path: join(run.out, 'data') }));
          const pipe = `"$0" ${(await tap(run)).join(' ')} | "$1" -m target_jsonl --config "$2"`;
          return { argv: ['sh', '-c', pipe, source, target, config] };
        },
      })),
  },
  {
    name: 'airbyte-cdk',
    title: 'airbyte-cdk 7.39.1, a declarative source, `read` to a file',
    group: 'peer',
    rows: { reader: 'airbyte', files: /^stdout$/ },
    isIn: once,
    prepare: () => installed([AIRBYTE], async ([interpreter]) => declarative(interpreter)),
  },
];

async function tap({ url, key, out }: Run): Promise<string[]> {
  const config = join(out, 'tap.json');
  await writeFile(config, JSON.stringify({ url, key }));
  return [script('singer_tap.py'), '--config', config];
}

function declarative(interpreter: string): Ready {
  const run = 'from airbyte_cdk.cli.source_declarative_manifest import run; run()';
  let catalog: string | undefined;
  return {
    async command({ url, key, out, inFlight }) {
      const config = join(out, 'config.json');
      await writeFile(config, JSON.stringify({ url, key, in_flight: inFlight }));
      const common = ['--config', config, '--manifest-path', script('airbyte.yaml')];
      catalog ??= airbyteCatalog([interpreter, '-c', run, 'discover', ...common]);
      await writeFile(join(out, 'catalog.json'), catalog);
      return { argv: [interpreter, '-c', run, 'read', ...common, '--catalog', join(out, 'catalog.json')] };
    },
  };
}
