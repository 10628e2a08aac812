import { captioned, fixed, megabytes, titleOf } from './captioned.js';
import { PARSE_FLOOR } from './floors.js';
import { load, type Result } from './result.js';
import { describeScene, latencyBound, SIZES, sceneOf, slug } from './scene.js';

/** Everything about one scene. */
export function sceneTable(result: Result<'scene'> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const { programs, notRun, latency } = result;
  const floor = programs.find(({ name }) => name === PARSE_FLOOR)?.cpu;
  const rows = programs.map((figures) => [
    titleOf(figures),
    fixed(figures.cpu),
    floor === undefined ? '' : fixed(figures.cpu / floor, 1),
    fixed(figures.wall, 1),
    ...(latency === 0 ? [] : [fixed(figures.wall / latencyBound(result, figures.requests))]),
    fixed(figures.peakRss, 0),
    megabytes(figures.bytes),
    figures.files || '',
  ]);
  const wall = ['wall s', ...(latency === 0 ? [] : ['wall ÷ bound'])];
  const head = ['', 'CPU s', '÷ floor', ...wall, 'peak RSS MB', 'MB written', 'files'];
  const runs = Math.min(...programs.map((figures) => figures.runs));
  const title = `${describeScene(result)}, ${runs === 1 ? 'one run' : `medians of ${runs} interleaved runs`}`;
  const missing = notRun.map(({ title, reason }) => `Not run: ${title}: ${reason}.`);
  return [captioned(result, title, [head, ...rows]), ...missing].join('\n\n');
}

/** The lines that the README shows. */
const SHORT: Readonly<Record<string, string>> = {
  'ours-parquet': 'dedupe, hashes, fsync, manifest, resume; `created_at` in µs',
  'sdk-parquet': '25 lines of Python; none of that, one file',
  'dlt-arrow': '49 lines of Python; load packages and their state',
  'dlt-rest-parquet': 'declared, no code; load packages and their state',
  'airbyte-cdk': 'declared, no code; messages, no files',
};

/** For the README: the closest peers, and what they leave out. */
export function shortTable(result: Result<'scene'> | undefined): string | undefined {
  if (result === undefined) return undefined;
  const rows = Object.entries(SHORT).flatMap(([name, does]) =>
    result.programs
      .filter((figures) => figures.name === name)
      .map((figures) => [titleOf(figures), fixed(figures.cpu, 1), fixed(figures.peakRss, 0), does]),
  );
  return captioned(result, describeScene(result), [
    ['', 'CPU s', 'peak RSS MB', 'what it does besides'],
    ...rows,
  ]);
}

const GROWING = ['ours-parquet', 'ours-ndjson'];

/** The same programs in every scene, and with ten times the users. */
export async function growthTable(folder: string): Promise<string | undefined> {
  const scenes = SIZES.flatMap((size) => [0, 150].map((latency) => sceneOf(size, { latency })));
  const found = await Promise.all(scenes.map((scene) => load<'scene'>(folder, `scene-${slug(scene)}`)));
  const measured = found.filter((result) => result !== undefined);
  const memory = await load<'memory'>(folder, 'memory');
  const [first] = measured;
  if (first === undefined) return undefined;

  const cases = [
    ...measured.flatMap((result) => result.programs.map((figures) => ({ ...figures, scene: result }))),
    ...(memory?.cases.map((figures) => ({ ...figures, scene: { ...figures, latency: 0 } })) ?? []),
  ];
  const rows = new Map<string, string[]>();
  for (const { name, scene, cpu, rows: users, wall, requests } of cases) {
    if (!GROWING.includes(name)) continue;
    const cells = rows.get(describeScene(scene)) ?? Array<string>(GROWING.length * 2).fill('');
    const column = GROWING.indexOf(name) * 2;
    if (cells[column] !== '') continue; // the medians of a scene, before one run for the memory
    cells.splice(column, 2, fixed((cpu / users) * 1e6, 2), fixed(wall, 1));
    rows.set(describeScene(scene), [...cells.slice(0, GROWING.length * 2), String(requests)]);
  }
  const head = [
    '',
    ...['parquet', 'ndjson'].flatMap((format) => [`${format}: CPU µs a row`, 'wall s']),
    'requests',
  ];
  const isProvisional = [...measured, memory].some((result) => result?.isProvisional);
  const body = [...rows].map(([scene, cells]) => [scene, ...cells]);
  return captioned({ ...first, isProvisional }, 'Our dump in each scene', [head, ...body]);
}
