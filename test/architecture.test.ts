import { describe, expect, it } from 'vitest';
import { sinkFormats } from '../src/sinks/index.js';
import { streams } from '../src/streams/index.js';
import { sourceFiles } from './source-files.js';

/**
 * What each layer may import besides itself: other layers, or single files of them. A folder is a layer; `leaf` is every
 * file directly in src but the two doors, `snapshot` and `index`.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  leaf: [],
  model: ['leaf'],
  client: ['leaf'],
  streams: ['leaf', 'model'],
  extract: ['leaf', 'model', 'client', 'streams'],
  sinks: ['leaf', 'model'],
  storage: ['leaf'],
  lake: ['leaf', 'model', 'streams', 'sinks', 'storage'],
  run: ['leaf', 'model', 'streams', 'extract', 'sinks', 'storage', 'lake'],
  upkeep: [
    'leaf',
    'model',
    'streams',
    'sinks',
    'storage',
    'lake',
    // A compaction stages its files as a run does, with the same bounds.
    'src/run/settings.ts',
    'src/run/staging-parent.ts',
  ],
  erase: [
    'leaf',
    'model',
    'streams',
    'sinks',
    'storage',
    'lake',
    // It stages its files where a run does, and drops the runs that may hold the person.
    'src/run/staging-parent.ts',
    'src/run/unfinished-runs.ts',
    'src/upkeep/rewritten.ts',
  ],
  access: ['leaf', 'model', 'streams', 'sinks', 'storage', 'lake'],
  diff: ['leaf', 'model', 'streams', 'storage', 'lake'],
  history: ['leaf', 'model', 'streams', 'storage', 'lake', 'diff'],
  review: ['leaf', 'model', 'streams', 'sinks', 'storage', 'lake', 'access', 'diff'],
  report: ['leaf', 'model', 'streams', 'storage', 'lake', 'access', 'diff'],
  snapshot: ['leaf', 'model', 'streams', 'extract', 'sinks', 'storage', 'lake', 'run', 'upkeep'],
  index: [
    'leaf',
    'model',
    'client',
    'streams',
    'extract',
    'sinks',
    'storage',
    'lake',
    'run',
    'upkeep',
    'erase',
    'access',
    'diff',
    'history',
    'review',
    'report',
    'snapshot',
  ],
  'connectors/kit': ['index'],
  'connectors/airbyte': ['index', 'connectors/kit'],
  'connectors/warehouse': ['index', 'connectors/kit'],
  fixtures: [],
  // It brings an API of its own.
  'connectors/demo': ['connectors/kit', 'fixtures'],
  'connectors/report': ['index', 'connectors/kit'],
  'connectors/cli': [
    'index',
    'connectors/kit',
    'connectors/report/assets.ts',
    'connectors/report/report-page.ts',
    'connectors/warehouse/load.ts',
    'connectors/demo/demo.ts',
    // Help and version come before anything is loaded: the public list stands on every module.
    'src/errors.ts',
    'src/version.ts',
  ],
};

/** Third-party packages, and the files that may import them. */
const IMPORTERS: Record<string, readonly string[]> = {
  undici: ['src/client/transport.ts', 'src/client/undici.d.ts'],
  '@streamparser/json': ['src/client/streaming-parser.ts'],
  'apache-arrow': [
    'src/sinks/arrow-file.ts',
    'src/sinks/arrow-schema.ts',
    'src/sinks/column-blocks.ts',
    'src/sinks/decode-columns.ts',
  ],
  '@bokuweb/zstd-wasm': ['src/sinks/parquet-codec.ts'],
  snappyjs: ['src/sinks/parquet-codec.ts'],
  'parquet-wasm': ['src/sinks/parquet-reader.ts'],
  'csv-parse': ['src/review/read-csv.ts'],
  hucre: ['src/review/workbook.ts'],
  opendal: ['src/storage/bucket.ts'],
  yargs: [
    'connectors/cli/command-line.ts',
    'connectors/cli/command-flags.ts',
    'connectors/kit/options.ts',
    'fixtures/api/main.ts',
  ],
  'cli-progress': ['connectors/kit/day-progress.ts', 'connectors/kit/progress.ts'],
  'cli-table3': ['connectors/kit/table.ts'],
  leven: ['connectors/kit/mistakes.ts'],
  yaml: ['connectors/kit/config-file.ts'],
  '@duckdb/node-api': ['connectors/warehouse/duckdb/connection.ts', 'connectors/demo/demo.ts'],
  pg: ['connectors/warehouse/postgres/connection.ts'],
  'pg-copy-streams': ['connectors/warehouse/postgres/connection.ts'],
};

/** Of Node's own modules, those that only one place of the library may touch. */
const NODE_IMPORTERS: Record<string, (path: string) => boolean> = {
  'node:stream': (path) => path === 'src/extract/readable.ts',
  'node:fs': (path) =>
    path.startsWith('src/storage/') || path.startsWith('src/run/') || path === 'src/process-identity.ts',
  'node:fs/promises': (path) => path.startsWith('src/storage/') || path.startsWith('src/run/'),
  'node:process': () => false,
  'node:child_process': () => false,
};

function layerOf(path: string): string {
  if (path === 'src/index.ts') return 'index';
  if (path === 'src/snapshot.ts') return 'snapshot';
  if (path.startsWith('fixtures/')) return 'fixtures';
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? /^connectors\/[^/]+/.exec(path)?.[0] ?? 'leaf';
}

const files = [...sourceFiles('src'), ...sourceFiles('connectors')];
const all = [...files, ...sourceFiles('fixtures')];
const paths = all.map(({ path }) => path);
const imports = all.flatMap((file) => file.imports);
const inside = imports.filter(({ to }) => to.endsWith('.ts'));

describe('the layers', () => {
  it('are all known, and every import was found where it points to', () => {
    expect(new Set(paths.map(layerOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
    expect(inside.filter(({ to }) => !paths.includes(to))).toEqual([]);
    expect(inside.length).toBeGreaterThan(300);
  });

  it('import downwards only', () => {
    const upward = inside.filter(({ from, to }) => {
      const [layer, target] = [layerOf(from), layerOf(to)];
      const allowed = MAY_IMPORT[layer] ?? [];
      return layer !== target && !allowed.includes(target) && !allowed.includes(to);
    });
    expect(upward).toEqual([]);
  });

  it('have no circles', () => {
    const done = new Set<string>();
    const circles: string[][] = [];
    const walk = (path: string, trail: string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path]);
      if (done.has(path) || trail.includes(path)) return;
      for (const { from, to } of inside) if (from === path) walk(to, [...trail, path]);
      done.add(path);
    };
    for (const { path } of sourceFiles('fixtures')) done.add(path); // types of the fixture name each other
    for (const path of paths) walk(path, []);
    expect(circles).toEqual([]);
  });

  it('have no exception that nobody needs', () => {
    const needed = new Set(inside.map(({ from, to }) => `${layerOf(from)} ${to}`));
    const exceptions = Object.entries(MAY_IMPORT).flatMap(([layer, allowed]) =>
      allowed.filter((name) => name.endsWith('.ts')).map((path) => `${layer} ${path}`),
    );
    expect(exceptions.filter((exception) => !needed.has(exception))).toEqual([]);
  });
});

describe('packages', () => {
  it.each(Object.entries(IMPORTERS))('%s is imported only where its layer says', (name, allowed) => {
    const importers = imports
      .filter(({ to }) => to === name || to.startsWith(`${name}/`))
      .map(({ from }) => from);
    expect(new Set(importers)).toEqual(new Set(allowed));
  });

  it.each(Object.entries(NODE_IMPORTERS))('%s is imported only where it belongs', (name, isAllowed) => {
    const importers = imports.filter(({ from, to }) => to === name && from.startsWith('src/'));
    expect(importers.filter(({ from }) => !isAllowed(from))).toEqual([]);
  });

  it('are no others than zod and these', () => {
    const known = ['zod', ...Object.keys(IMPORTERS)];
    const others = imports.filter(
      ({ to }) =>
        !to.endsWith('.ts') &&
        !to.startsWith('node:') &&
        !known.some((name) => to === name || to.startsWith(`${name}/`)),
    );
    expect(others).toEqual([]);
  });
});

describe('the library', () => {
  it('never logs, never exits, never reads the environment', () => {
    const offenders = files.filter(
      ({ path, code }) =>
        path.startsWith('src/') && /\bconsole\.|process\.(exit|env|argv|stdout|stderr)\b/.test(code),
    );
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });
});

describe('a stream is named', () => {
  const names = streams.map(({ name }) => name);
  const ownFile = (path: string): boolean =>
    names.some((name) => path === `src/streams/${name.replaceAll('_', '-')}.ts`);
  /** Besides the own file of each stream: the registry, what streams share, the façade, and the public list of names. */
  const NAMING = [
    'src/streams/index.ts',
    'src/streams/of-organization.ts',
    'src/extract/organizations-api.ts',
    'src/index.ts',
  ];
  const others = files.filter(({ path }) => !ownFile(path) && !NAMING.includes(path));
  /** A table that is derived from some streams, and the same as SQL: it names them by importing them, and their columns. */
  const isDerived = (path: string): boolean =>
    path.startsWith('src/access/') ||
    path.startsWith('src/review/') ||
    path.startsWith('src/report/') ||
    path === 'connectors/warehouse/effective-access.ts';
  /** The tables of changes and of histories have a column for the organisation, whatever the stream. */
  const isOfChanges = (path: string): boolean =>
    ['src/diff/', 'src/history/'].some((folder) => path.startsWith(folder)) ||
    path === 'connectors/cli/change-summary.ts';

  it('only where its file is imported: by the registry, a child of it, the façade, a derived table and the public list', () => {
    const importers = others.filter(
      ({ path, imports }) => !isDerived(path) && imports.some(({ to }) => ownFile(to)),
    );
    expect(importers.map(({ path }) => path)).toEqual([]);
  });

  it('by no connector, through the public list', () => {
    const own = files.filter(({ path }) => ownFile(path)).flatMap(exportsOf);
    expect(own).toEqual(expect.arrayContaining([...streams.map(exportName), 'User']));
    const importers = imports.filter(
      ({ from, names }) =>
        from.startsWith('connectors/') && !isDerived(from) && names.some((name) => own.includes(name)),
    );
    expect(importers).toEqual([]);
  });

  it('in no text of other code, and neither is a column of its path', () => {
    const columns = new Set(streams.flatMap(({ path }) => path.match(/(?<=\{)\w+/g) ?? []));
    expect(columns).toContain('organization_uuid');
    const naming = others.filter(
      ({ path, texts, code }) =>
        texts.some((text) => names.includes(text)) ||
        (!isDerived(path) &&
          !isOfChanges(path) &&
          [...columns].some((column) => new RegExp(`\\b${column}\\b`).test(code))),
    );
    expect(naming.map(({ path }) => path)).toEqual([]);
  });

  it('by no connector, through the façade of the client', () => {
    const users = files.filter(
      ({ path, code }) => path.startsWith('connectors/') && /\bclient\.organizations\b/.test(code),
    );
    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

describe('a format is named', () => {
  /** Besides the own file of each format, which its registry imports. */
  const NAMING: Record<string, string> = {
    'connectors/cli/formats.ts': 'the default of --format, and of what goes to stdout',
    'connectors/cli/commands/schema.ts': 'Arrow as a notation of schemas',
    'src/review/pack-files.ts': 'CSV for people, and lines for what waits on the disk',
    'connectors/warehouse/source/extraction.ts': 'the format of a snapshot that is taken for one load alone',
    'connectors/warehouse/scripts/write.ts': 'the scripts of warehouses read Parquet only',
  };
  const names = sinkFormats.map(({ name }) => name);
  const naming = files
    .filter(({ texts }) => texts.some((text) => names.includes(text)))
    .map(({ path }) => path);

  it('only by its own file, and by what is known to depend on it', () => {
    const own = sinkFormats.map(({ name }) => `src/sinks/${name}.ts`);
    expect(new Set(naming)).toEqual(new Set([...own, ...Object.keys(NAMING)]));
  });
});

/** `role_permissions` is exported as `rolePermissions`. */
const exportName = ({ name }: { name: string }): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function exportsOf({ code }: { code: string }): string[] {
  return [...code.matchAll(/^export (?:const|interface|type|function) (\w+)/gm)].map(([, name]) =>
    String(name),
  );
}
