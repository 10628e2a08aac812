/**
 * Our commands beside their peers, in one run on one machine: `npm run bench -- peers --help`. Each peer gets a Python
 * environment of its own, made from PyPI at a pinned version. Ours is the build; nothing that is measured runs under tsx.
 * No figure fails it; a program that did not write every row does.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { setup } from '../test/build.js';
import { chart } from './peers/chart.js';
import { fillDocument } from './peers/fill-document.js';
import { floors } from './peers/floors.js';
import { freezeBuild } from './peers/frozen-build.js';
import { measureLayers } from './peers/measure-layers.js';
import { measureMemory } from './peers/measure-memory.js';
import { measureScene } from './peers/measure-scene.js';
import { measureSize } from './peers/measure-size.js';
import { measureStartUp } from './peers/measure-start-up.js';
import { ours } from './peers/ours.js';
import { peers } from './peers/peers.js';
import type { Program } from './peers/program.js';
import { save, taken } from './peers/result.js';
import { DEFAULT_SIZE, describeScene, type Scene, SIZES, sceneOf, slug, usersIn } from './peers/scene.js';
import { tables } from './peers/tables.js';

const ROOT = resolve(import.meta.dirname, '..');
const MEASURES = ['scenes', 'start-up', 'memory', 'size', 'layers'] as const;
const LATENCIES = [0, 150];
const FULL = usersIn(sceneOf(DEFAULT_SIZE));
/** In seconds: a scene whose requests alone take longer is run once. */
const LONG = 100;
/** Starts take a fraction of a second each, and differ. */
const START_UP_RUNS = 7;

const HELP = `npm run bench -- peers [flags]

  --scenes      organisations x users of each, several with commas: ${SIZES.join(', ')}; default ${DEFAULT_SIZE}
  --latency     milliseconds before each answer, several with commas; default 0
  --users       scale the scenes down (or up) to so many users, for a try
  --runs        of each program, interleaved; the medians count; default 3
  --peers       names with commas, or all: default those that a scene is about; the names are printed with --list
  --measures    ${MEASURES.join(', ')}; default scenes
  --everything  all measures, all scenes, ${LATENCIES.join(' and ')} ms: some hours
  --docs        write the results to docs/performance and fill the tables of docs/performance.md and README.md
  --fill        measure nothing; fill the tables from the results that are there
  --to          a folder for the results; default .cache/bench
  --dist        the build that is measured; default dist, compiled first if it is older than the source
  --provisional mark the figures as not to be quoted (always so when --users is less than ${FULL})`;

const { values: flags } = parseArgs({
  options: {
    scenes: { type: 'string', default: DEFAULT_SIZE },
    latency: { type: 'string', default: '0' },
    users: { type: 'string' },
    runs: { type: 'string', default: '3' },
    peers: { type: 'string' },
    measures: { type: 'string', default: 'scenes' },
    everything: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    fill: { type: 'boolean', default: false },
    to: { type: 'string', default: join(ROOT, '.cache/bench') },
    dist: { type: 'string' },
    provisional: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const results = flags.docs || flags.fill ? join(ROOT, 'docs/performance') : resolve(flags.to);
const users = flags.users === undefined ? undefined : Number(flags.users);
const runs = Number(flags.runs);
const state = taken(flags.provisional || (users ?? FULL) < FULL);
const wanted = flags.everything ? MEASURES : flags.measures.split(',');
const log = (line: string): void => console.error(line);

const programsOf = (dist: string): Program[] => [...floors, ...ours(dist), ...peers];

/** The programs of a scene, or those that were asked for. */
function chosen(programs: readonly Program[], scene: Scene) {
  if (flags.peers === undefined) return programs.filter((program) => program.isIn(scene));
  if (flags.peers === 'all') return programs;
  const names = flags.peers.split(',');
  const unknown = names.find((name) => !programs.some((program) => program.name === name));
  if (unknown !== undefined) throw new Error(`There is no program ${unknown}; --list prints the names.`);
  return programs.filter(({ name }) => names.includes(name));
}

async function publish(name: string, result: object, file = name): Promise<void> {
  await save(results, file, { ...state, ...result });
  const table = await tables[name]?.(results);
  if (table !== undefined) console.log(`\n${table}`);
}

async function scenes(programs: readonly Program[]): Promise<void> {
  const sizes = flags.everything ? SIZES : flags.scenes.split(',');
  const latencies = flags.everything ? LATENCIES : flags.latency.split(',').map(Number);
  for (const size of sizes)
    for (const latency of latencies) {
      const scene = sceneOf(size, { latency, ...(users !== undefined && { users }) });
      const isLong = (usersIn(scene) / 1000) * latency > LONG * 1000 && scene.organizations === 1;
      log(`\n${describeScene(scene)}`);
      const result = {
        ...state,
        ...(await measureScene(scene, { programs: chosen(programs, scene), runs: isLong ? 1 : runs, log })),
      };
      // A scene that was scaled keeps its name: the documents show it, marked as provisional.
      const name = `scene-${slug(sceneOf(size, { latency }))}`;
      await publish(name, result);
      await mkdir(results, { recursive: true });
      if (result.programs.length > 0) await writeFile(join(results, `${name}.svg`), chart(result));
    }
}

async function measure(): Promise<void> {
  if (flags.dist === undefined) setup();
  await using build = await freezeBuild(resolve(flags.dist ?? join(ROOT, 'dist')));
  const { dist } = build;
  const programs = programsOf(dist);
  const scene = sceneOf(DEFAULT_SIZE, users === undefined ? {} : { users });
  if (wanted.includes('scenes')) await scenes(programs);
  if (wanted.includes('start-up'))
    await publish('start-up', await measureStartUp(programs, { dist, runs: START_UP_RUNS }));
  if (wanted.includes('size')) await publish('size', await measureSize(scene, dist));
  if (wanted.includes('layers')) await publish('layers', await measureLayers(scene, dist));
  if (wanted.includes('memory')) await publish('memory', await measureMemory(scene, { programs, log }));
  console.log(`\n${await tables.goals?.(results)}`);
}

if (flags.help) console.log(HELP);
else if (flags.list)
  for (const { name, title } of programsOf('dist')) console.log(`${name.padEnd(24)}${title}`);
else {
  if (!flags.fill) await measure();
  if (flags.docs || flags.fill)
    for (const document of ['docs/performance.md', 'README.md'])
      await fillDocument(join(ROOT, document), results);
  process.exitCode = 0;
}
