import { captioned } from './captioned.js';
import { PARSE_FLOOR } from './floors.js';
import { BARE_NODE } from './measure-start-up.js';
import { load, type Result } from './result.js';
import { DEFAULT_SIZE, latencyBound, SIZES, sceneOf, slug } from './scene.js';

/** All results; a getter of figures is NaN where something was not measured. */
interface Measures {
  scene(size: string, latency?: number): Result<'scene'> | undefined;
  startUp: Result<'start-up'> | undefined;
  memory: Result<'memory'> | undefined;
  size: Result<'size'> | undefined;
}

/** One line of the table of goals: the figure before the hot path was rewritten, and the figure now. */
interface Goal {
  what: string;
  before: number | undefined;
  goal: number;
  digits?: number;
  now(measures: Measures): number;
}

type Figure = 'cpu' | 'wall' | 'peakRss';

const figure = (scene: Result<'scene'> | undefined, name: string, of: Figure = 'cpu'): number =>
  scene?.programs.find((program) => program.name === name)?.[of] ?? Number.NaN;

const ratio =
  (name: string, to: string): Goal['now'] =>
  ({ scene }) =>
    figure(scene(DEFAULT_SIZE), name) / figure(scene(DEFAULT_SIZE), to);

/** The largest peak of ours with so many users in 40 organisations. */
const peak =
  (usersOfEach: (sizes: readonly number[]) => number): Goal['now'] =>
  ({ memory }) => {
    const ours =
      memory?.cases.filter(({ group, organizations }) => group === 'ours' && organizations === 40) ?? [];
    const wanted = usersOfEach(ours.map((found) => found.usersOfEach));
    const peaks = ours.filter((found) => found.usersOfEach === wanted).map(({ peakRss }) => peakRss);
    return peaks.length === 0 ? Number.NaN : Math.max(...peaks);
  };

const started = ({ startUp }: Measures, name: string, of: 'wall' | 'firstRequest' = 'wall'): number =>
  startUp?.cases.find((found) => found.name === name)?.[of] ?? Number.NaN;

const LATENCY = 150;
const [, , MANY_ORGANIZATIONS] = SIZES;

/** Of the issue "Speed and memory"; the figures before are those of its measurement. */
const GOALS: readonly Goal[] = [
  {
    what: 'Parquet: CPU ÷ SDK + pyarrow',
    before: 1.6,
    goal: 0.85,
    now: ratio('ours-parquet', 'sdk-parquet'),
  },
  { what: 'NDJSON: CPU ÷ the SDK', before: 0.96, goal: 0.55, now: ratio('ours-ndjson', 'sdk-ndjson') },
  ...(
    [
      ['ndjson', 5.7, 2.8],
      ['csv', 4.8, 2.8],
      ['arrow', 6.1, 2.6],
      ['parquet', 7.6, 3.9],
    ] as const
  ).map(([format, before, goal]) => ({
    what: `${format}: CPU ÷ parse floor`,
    before,
    goal,
    now: ratio(`ours-${format}`, PARSE_FLOOR),
  })),
  {
    what: 'Airbyte `read`: CPU ÷ parse floor',
    before: 4.9,
    goal: 3,
    now: ratio('ours-airbyte', PARSE_FLOOR),
  },
  {
    what: 'peak RSS, MB, any format and layout',
    before: 334,
    goal: 180,
    digits: 0,
    now: peak((sizes) => Math.min(...sizes)),
  },
  {
    what: 'the same with ten times the users',
    before: 431,
    goal: 200,
    digits: 0,
    now: peak((sizes) => Math.max(...sizes)),
  },
  {
    what: `1,000 × 1,000, Parquet: CPU ÷ 40 × 25,000`,
    before: 1.31,
    goal: 1.1,
    now: ({ scene }) =>
      figure(scene(MANY_ORGANIZATIONS), 'ours-parquet') / figure(scene(DEFAULT_SIZE), 'ours-parquet'),
  },
  {
    what: `${LATENCY} ms a request: wall ÷ bound`,
    before: 1.2,
    goal: 1.05,
    now({ scene }) {
      const slow = scene(DEFAULT_SIZE, LATENCY);
      const requests = slow?.programs.find(({ name }) => name === 'ours-parquet')?.requests ?? Number.NaN;
      return slow === undefined
        ? Number.NaN
        : figure(slow, 'ours-parquet', 'wall') / latencyBound(slow, requests);
    },
  },
  {
    what: `${LATENCY} ms a request: CPU ÷ without`,
    before: 1.2,
    goal: 1,
    now: ({ scene }) =>
      figure(scene(DEFAULT_SIZE, LATENCY), 'ours-parquet') / figure(scene(DEFAULT_SIZE), 'ours-parquet'),
  },
  ...['--help', '--version'].map((flag) => ({
    what: `\`${flag}\`: wall ÷ \`${BARE_NODE}\``,
    before: 9,
    goal: 3,
    now: (measures: Measures) => started(measures, flag) / started(measures, BARE_NODE),
  })),
  {
    what: "first request after start ÷ the SDK's",
    before: 2.7,
    goal: 1.3,
    now: (measures) =>
      started(measures, 'ours-parquet', 'firstRequest') / started(measures, 'sdk-parquet', 'firstRequest'),
  },
  {
    what: "bytes of Parquet ÷ DuckDB's",
    before: undefined,
    goal: 1,
    now: ({ size }) => Math.max(...(size?.layouts.map(({ ours, duckdb }) => ours / duckdb) ?? [Number.NaN])),
  },
];

/** What was to be reached, and what is. Undefined when nothing was measured. */
export async function goalsTable(folder: string): Promise<string | undefined> {
  const scenes = new Map<string, Result<'scene'> | undefined>();
  for (const size of SIZES)
    for (const latency of [0, LATENCY]) {
      const name = slug(sceneOf(size, { latency }));
      scenes.set(name, await load<'scene'>(folder, `scene-${name}`));
    }
  const measures: Measures = {
    scene: (size, latency = 0) => scenes.get(slug(sceneOf(size, { latency }))),
    startUp: await load<'start-up'>(folder, 'start-up'),
    memory: await load<'memory'>(folder, 'memory'),
    size: await load<'size'>(folder, 'size'),
  };
  const results = [...scenes.values(), measures.startUp, measures.memory, measures.size].filter(
    (result) => result !== undefined,
  );
  const [first] = results;
  if (first === undefined) return undefined;

  const rows = GOALS.map(({ what, before, goal, digits = 2, now }) => {
    const value = now(measures);
    if (Number.isNaN(value)) return [what, before ?? '', `≤ ${goal}`, 'not measured', ''];
    return [what, before ?? '', `≤ ${goal}`, value.toFixed(digits), value <= goal ? 'yes' : '**no**'];
  });
  const isProvisional = results.some((result) => result.isProvisional);
  const head = ['', 'before', 'goal', 'now', 'reached'];
  return captioned({ ...first, isProvisional }, 'Ratios of figures of the tables below', [head, ...rows]);
}
