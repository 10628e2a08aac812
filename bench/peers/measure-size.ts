import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpCommand } from './ours.js';
import { startPageServer } from './page-server-process.js';
import { measureTree } from './process-tree.js';
import type { Results } from './result.js';
import type { Scene } from './scene.js';
import { query } from './written.js';

/** Our Parquet beside what DuckDB makes of each of the files, with zstd and its other defaults. */
export async function measureSize(scene: Scene, dist: string): Promise<Results['size']> {
  await using server = await startPageServer(scene);
  const layouts: Results['size']['layouts'] = [];
  for (const layout of ['per-org', 'per-date']) {
    const out = await mkdtemp(join(tmpdir(), 'bench-'));
    try {
      const run = { url: server.url, key: 'sk-ant-api01-bench', out, inFlight: 1 };
      const dump = dumpCommand(dist, run, ['--format', 'parquet', '--layout', layout]);
      await measureTree({ ...dump, folder: out });
      const sum = { layout, rows: 0, ours: 0, duckdb: 0 };
      const names = await readdir(join(out, 'users'), { recursive: true });
      for (const name of names.filter((name) => name.endsWith('.parquet'))) {
        const file = join(out, 'users', name);
        const copy = join(out, 'copy');
        // Without the columns that are only in the path.
        const from = `read_parquet('${file}', hive_partitioning = false)`;
        const [row] = await query(`COPY (FROM ${from}) TO '${copy}' (FORMAT parquet, COMPRESSION zstd)`);
        sum.rows += Number(row?.[0]);
        sum.ours += (await stat(file)).size;
        sum.duckdb += (await stat(copy)).size;
      }
      layouts.push(sum);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  }
  return { layouts };
}
