import { captioned, fixed, megabytes, titleOf } from './captioned.js';
import { goalsTable } from './goals.js';
import { BARE_NODE } from './measure-start-up.js';
import { load, type Result } from './result.js';
import { DEFAULT_SIZE, describeScene, SIZES, sceneOf, slug } from './scene.js';
import { growthTable, sceneTable, shortTable } from './scene-tables.js';

/** The folder with the results of measures. */
type Make = (folder: string) => Promise<string | undefined>;

/** The tables that documents show between markers, by the names in the markers. Undefined: not measured yet. */
export const tables: Readonly<Record<string, Make>> = {
  ...Object.fromEntries(
    SIZES.flatMap((size) =>
      [0, 150].map((latency) => {
        const scene = `scene-${slug(sceneOf(size, { latency }))}` as const;
        return [scene, async (folder: string) => sceneTable(await load<'scene'>(folder, scene))];
      }),
    ),
  ),
  'peers-in-short': async (folder) => shortTable(await load<'scene'>(folder, `scene-${DEFAULT_SIZE}`)),
  goals: goalsTable,
  'start-up': async (folder) => startUpTable(await load<'start-up'>(folder, 'start-up')),
  memory: async (folder) => memoryTable(await load<'memory'>(folder, 'memory')),
  size: async (folder) => sizeTable(await load<'size'>(folder, 'size')),
  growth: growthTable,
  layers: async (folder) => layersTable(await load<'layers'>(folder, 'layers')),
};

function startUpTable(result: Result<'start-up'> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const bare = result.cases.find(({ name }) => name === BARE_NODE)?.wall ?? Number.NaN;
  const rows = result.cases.map(({ name, wall, peakRss, firstRequest }) => [
    `\`${name}\``,
    fixed(wall, 3),
    fixed(wall / bare, 1),
    firstRequest === undefined ? '' : fixed(firstRequest, 3),
    fixed(peakRss, 0),
  ]);
  const head = ['', 'wall s', `÷ \`${BARE_NODE}\``, 'first request after s', 'peak RSS MB'];
  return captioned(result, `One user in one organisation, medians of ${result.runs} interleaved runs`, [
    head,
    ...rows,
  ]);
}

function memoryTable(result: Result<'memory'> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const rows = result.cases.map((figures) => [
    titleOf(figures),
    describeScene({ ...figures, latency: 0 }),
    fixed(figures.peakRss, 0),
    fixed(figures.cpu, 1),
    fixed((figures.cpu / figures.rows) * 1e6, 1),
    fixed(figures.wall, 1),
    megabytes(figures.bytes),
  ]);
  const head = ['', 'read', 'peak RSS MB', 'CPU s', 'CPU µs a row', 'wall s', 'MB written'];
  return captioned(result, 'One run each', [head, ...rows]);
}

function sizeTable(result: Result<'size'> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const rows = result.layouts.map(({ layout, rows, ours, duckdb }) => [
    layout,
    rows.toLocaleString('en-GB'),
    megabytes(ours),
    megabytes(duckdb),
    fixed(ours / duckdb),
  ]);
  const head = ['layout', 'rows', 'ours MB', 'DuckDB MB', 'ours ÷ DuckDB'];
  return captioned(result, 'Parquet of the same rows, file by file, with zstd', [head, ...rows]);
}

/** µs a row: a layer that costs less in every format is part of `other`. */
const SMALL = 0.05;

function layersTable(result: Result<'layers'> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const names = [...new Set(result.formats.flatMap(({ layers }) => Object.keys(layers)))];
  const costs = names.map(
    (name) => [name, ...result.formats.map(({ layers }) => layers[name] ?? 0)] as const,
  );
  const isSmall = ([, ...values]: readonly [string, ...number[]]): boolean =>
    values.every((value) => value < SMALL);
  const rest = costs.filter(isSmall);
  const other = result.formats.map((_, i) => rest.reduce((sum, [, ...values]) => sum + (values[i] ?? 0), 0));
  const rows = [...costs.filter((cost) => !isSmall(cost)), ['other', ...other] as const].map(
    ([name, ...values]) => [name, ...values.map((value) => fixed(value))],
  );
  const totals = result.formats.map(({ layers }) =>
    fixed(Object.values(layers).reduce((sum, cost) => sum + cost, 0)),
  );
  const head = ['layer', ...result.formats.map(({ format }) => `${format}, µs a row`)];
  const title = `${result.users.toLocaleString('en-GB')} users, one run each, with V8's profiler on`;
  return captioned(result, title, [head, ...rows, ['**all**', ...totals.map((total) => `**${total}**`)]]);
}
