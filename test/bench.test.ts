import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chart } from '../bench/peers/chart.js';
import { timeByLayer } from '../bench/peers/cpu-profile.js';
import { filled } from '../bench/peers/fill-document.js';
import { measureProgram } from '../bench/peers/measure-program.js';
import { startPageServer } from '../bench/peers/page-server-process.js';
import { measureTree } from '../bench/peers/process-tree.js';
import type { Figures, Result } from '../bench/peers/result.js';
import { sceneOf, slug, usersIn } from '../bench/peers/scene.js';
import { written } from '../bench/peers/written.js';

const ROOT = resolve(import.meta.dirname, '..');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const figures = (name: string, change: Partial<Figures> = {}): Figures => ({
  name,
  title: name,
  group: 'peer',
  wall: 1,
  cpu: 2,
  peakRss: 100,
  firstRequest: 0.1,
  requests: 10,
  rows: 1000,
  bytes: 5_000_000,
  files: 1,
  runs: 3,
  ...change,
});

const RESULT: Result<'scene'> = {
  isProvisional: true,
  at: '2026-11-25',
  machine: 'Node',
  ...sceneOf('40x25000'),
  programs: [
    figures('floor-parse', { group: 'floor', cpu: 1 }),
    figures('ours-parquet', { group: 'ours', cpu: 3.2, title: 'ours & "quoted" <b>' }),
  ],
  notRun: [{ title: 'a peer', reason: 'Python is missing' }],
  packages: {},
};

describe('the benchmark beside the peers', () => {
  it('scales a scene down to as many users, and keeps its organisations', () => {
    expect(sceneOf('40x25000', { users: 20_000, latency: 150 })).toEqual({
      organizations: 40,
      usersOfEach: 500,
      latency: 150,
    });
    expect(usersIn(sceneOf('1000x1000'))).toBe(1_000_000);
    expect(slug(sceneOf('1x1000000', { latency: 150 }))).toBe('1x1000000-150ms');
    expect(() => sceneOf('many')).toThrow('is not a scene');
  });

  it('counts the CPU of what a program starts, and shows what a program said that failed', async () => {
    const burn = 'const end = Date.now() + 300; while (Date.now() < end);';
    const child = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}])`;
    const { user, system, peakRss } = await measureTree({ argv: [process.execPath, '-e', child], folder });
    expect(user + system).toBeGreaterThan(0.1);
    expect(peakRss).toBeGreaterThan(30);
    const fails = measureTree({
      argv: [process.execPath, '-e', 'console.error("no luck"); process.exit(3)'],
      folder,
    });
    await expect(fails).rejects.toThrow(/ended with 3:\nno luck/);
  });

  it('fails a program that did not write every user, or one of them twice', async () => {
    const out = join(folder, 'twice');
    await mkdir(out);
    await writeFile(join(out, 'users.ndjson'), '{"id":"a"}\n{"id":"b"}\n{"id":"a"}\n');
    const rows = { reader: 'ndjson', files: /\.ndjson$/ } as const;
    await expect(written(out, rows)).rejects.toThrow('3 rows have 2 different ids');

    const scene = sceneOf('2x1500');
    await using server = await startPageServer(scene);
    const script = (users: string) => ({
      command: async ({ url, key }: { url: string; key: string }) => ({
        argv: [process.execPath, join(ROOT, 'bench/peers/floor.mjs'), 'write'],
        env: { BENCH_URL: url, BENCH_KEY: key, ...(users === 'none' && { BENCH_OUT: folder }) },
      }),
    });
    const program = { name: 'floor-write', group: 'floor', rows } as const;
    const measured = await measureProgram(program, { ready: script('all'), server, scene });
    expect(measured).toMatchObject({ rows: 3000, files: 1, requests: 5 });
    expect(measured.firstRequest).toBeGreaterThan(0);
    await expect(measureProgram(program, { ready: script('none'), server, scene })).rejects.toThrow(
      'what it wrote cannot be read',
    );
    const larger = sceneOf('2x2000');
    await expect(measureProgram(program, { ready: script('all'), server, scene: larger })).rejects.toThrow(
      'floor-write wrote 3000 users of 4000',
    );
  });

  it('adds the samples of a profile up by layer, a built-in function to who called it', () => {
    const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
      id,
      callFrame: { functionName, url },
      children,
    });
    const nodes = [
      node(1, '(root)', '', [2, 3, 4, 7]),
      node(2, '(idle)', ''),
      node(3, '(garbage collector)', ''),
      node(4, 'parsePage', 'file:///x/dist/src/client/page.js', [5, 6]),
      node(5, 'parse', ''),
      node(6, 'push', ''),
      node(7, 'request', 'file:///x/node_modules/undici/lib/a.js'),
    ];
    const times = timeByLayer({ nodes, samples: [2, 3, 4, 5, 6, 7], timeDeltas: [100, 1, 2, 4, 8, 16] });
    expect(Object.fromEntries(times)).toEqual({
      'garbage collector': 1,
      client: 10,
      'JSON.parse': 4,
      undici: 16,
    });
  });

  it('fills the marked tables of a document, says which figures are provisional, and what was not run', async () => {
    await writeFile(join(folder, 'scene-40x25000.json'), JSON.stringify(RESULT));
    const text = await filled(
      'a\n<!-- bench: scene-40x25000 -->\nold\n<!-- /bench -->\n<!-- bench: size -->\n<!-- /bench -->\nz',
      folder,
    );
    expect(text).toMatch(/^a\n<!-- bench: scene-40x25000 -->\n\*\*Provisional figures\*\*/);
    expect(text).toContain('| **ours: ours & "quoted" <b>** | 3.20 | 3.2 |');
    expect(text).toContain('Not run: a peer: Python is missing.');
    expect(text).toMatch(/<!-- bench: size -->\nNot measured yet: .*\n<!-- \/bench -->\nz$/);
    expect(text).not.toContain('old');
    expect(await filled(text, folder)).toBe(text);
    await expect(filled('<!-- bench: nonsense -->\n<!-- /bench -->', folder)).rejects.toThrow(
      'no table nonsense',
    );
  });

  it('draws every program, and escapes what it is called', () => {
    const svg = chart(RESULT);
    expect(svg).toContain('this connector: ours &amp; &quot;quoted&quot; &lt;b>');
    expect(svg).toContain('(provisional figures)');
    expect(svg.match(/<rect class="(?:floor|ours|peer)"/g)).toHaveLength(4);
    expect(svg).not.toMatch(/NaN|undefined|https?:(?!\/\/www\.w3\.org)/);
  });

  it('is what docs/performance.md shows: the tables are those of the results beside it', async () => {
    const text = await readFile(join(ROOT, 'docs/performance.md'), 'utf8');
    expect(await filled(text, join(ROOT, 'docs/performance'))).toBe(text);
  });
});
