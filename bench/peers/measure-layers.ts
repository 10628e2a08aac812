import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpuProfile, timeByLayer } from './cpu-profile.js';
import { dumpCommand } from './ours.js';
import { startPageServer } from './page-server-process.js';
import { measureTree } from './process-tree.js';
import type { Results } from './result.js';
import { type Scene, usersIn } from './scene.js';

const FORMATS = ['parquet', 'ndjson'];

/** Where the CPU of a dump goes: V8's samples, scaled to the CPU of the process, which has threads without samples too. */
export async function measureLayers(scene: Scene, dist: string): Promise<Results['layers']> {
  await using server = await startPageServer(scene);
  const users = usersIn(scene);
  const formats: Results['layers']['formats'] = [];
  for (const format of FORMATS) {
    const out = await mkdtemp(join(tmpdir(), 'bench-'));
    try {
      const run = { url: server.url, key: 'sk-ant-api01-bench', out, inFlight: 1 };
      const { argv, env } = dumpCommand(dist, run, ['--format', format]);
      const [node = '', ...args] = argv;
      const profiled = [
        node,
        '--cpu-prof',
        '--cpu-prof-interval',
        '500',
        '--cpu-prof-dir',
        join(out, 'profile'),
      ];
      const { user, system } = await measureTree({ argv: [...profiled, ...args], env, folder: out });
      const [file = ''] = await readdir(join(out, 'profile'));
      const profile = JSON.parse(await readFile(join(out, 'profile', file), 'utf8')) as CpuProfile;
      const times = timeByLayer(profile);
      const sampled = [...times.values()].reduce((sum, time) => sum + time, 0);
      const scale = ((user + system) * 1e6) / users / sampled;
      const layers = [...times].map(([layer, time]) => [layer, Number((time * scale).toFixed(3))] as const);
      formats.push({ format, layers: Object.fromEntries(layers.toSorted((a, b) => b[1] - a[1])) });
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  }
  return { users, formats };
}
