import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { airbyteCatalog } from './airbyte-catalog.js';
import type { Program, Run } from './program.js';
import { DEFAULT_SIZE, sceneOf } from './scene.js';

const FORMATS = ['csv', 'ndjson', 'arrow', 'parquet'] as const;
const LAYOUTS = ['per-org', 'per-date'] as const;
/** Where answers take time, and where the number of organisations differs, these show it. */
const CHOSEN = ['ours-parquet', 'ours-ndjson', 'ours-parquet-per-date'];
/** What the scenes leave out; the measure of memory has them all. */
const RARE = ['ours-csv-per-date', 'ours-ndjson-per-date', 'ours-arrow-per-date'];

/** Our commands as they are built, run by bare Node. @param dist the folder of the build */
export const ours = (dist: string): Program[] => [
  ...LAYOUTS.flatMap((layout) => FORMATS.map((format) => dump(dist, format, layout))),
  airbyteRead(dist),
];

/** What a person types, without the budget of the real API. */
export const dumpCommand = (dist: string, { url, key, out }: Run, flags: readonly string[]) => ({
  argv: [
    process.execPath,
    join(dist, 'connectors/cli/main.js'),
    'dump',
    ...['--out', out, '--requests-per-minute', '0', '--progress', 'none'],
    ...flags,
  ],
  env: { ANTHROPIC_COMPLIANCE_BASE_URL: url, ANTHROPIC_COMPLIANCE_ACCESS_KEY: key },
});

function dump(dist: string, format: (typeof FORMATS)[number], layout: (typeof LAYOUTS)[number]): Program {
  const name = `ours-${format}${layout === 'per-org' ? '' : `-${layout}`}`;
  return {
    name,
    title: `dump, ${format}${layout === 'per-org' ? '' : `, layout ${layout}`}`,
    group: 'ours',
    rows: { reader: format, files: new RegExp(`^users/.*\\.${format}$`) },
    isIn: ({ latency, organizations }) =>
      CHOSEN.includes(name) ||
      (latency === 0 && organizations === sceneOf(DEFAULT_SIZE).organizations && !RARE.includes(name)),
    async prepare() {
      return {
        command: async (run) => dumpCommand(dist, run, ['--format', format, '--layout', layout]),
      };
    },
  };
}

function airbyteRead(dist: string): Program {
  const source = [process.execPath, join(dist, 'connectors/airbyte/main.js')];
  return {
    name: 'ours-airbyte',
    title: 'Airbyte source, `read` to a file',
    group: 'ours',
    rows: { reader: 'airbyte', files: /^stdout$/ },
    isIn: () => true,
    async prepare() {
      let catalog: string | undefined;
      return {
        async command({ url, key, out }) {
          const config = join(out, 'config.json');
          await writeFile(config, JSON.stringify({ api_key: key, base_url: url, requests_per_minute: 0 }));
          catalog ??= airbyteCatalog([...source, 'discover', '--config', config]);
          await writeFile(join(out, 'catalog.json'), catalog);
          return { argv: [...source, 'read', '--config', config, '--catalog', join(out, 'catalog.json')] };
        },
      };
    },
  };
}
