import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** What each layer may import besides itself; `leaf` is every file directly in src. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  leaf: [],
  client: ['leaf'],
  extract: ['leaf', 'client'],
  sinks: ['leaf'],
  storage: ['leaf'],
  snapshot: ['leaf', 'client', 'extract', 'sinks', 'storage'],
  index: ['leaf', 'client', 'extract', 'sinks', 'storage', 'snapshot'],
  connectors: ['index'],
};

/** Third-party packages, and the files that may import them. */
const IMPORTERS: Record<string, readonly string[]> = {
  undici: ['src/client/transport.ts'],
  '@streamparser/json': ['src/client/page.ts'],
  'apache-arrow': ['src/sinks/arrow.ts', 'src/sinks/column.ts', 'src/sinks/columns.ts'],
  'parquet-wasm': ['src/sinks/parquet.ts', 'src/sinks/parquet-reader.ts'],
  'parquetjs-lite': ['src/sinks/parquet-js.ts'],
  opendal: ['src/storage/bucket.ts'],
  '@duckdb/node-api': ['connectors/warehouse/duckdb.ts'],
  pg: ['connectors/warehouse/postgres.ts'],
  'pg-copy-streams': ['connectors/warehouse/postgres.ts'],
};

/** Of Node's own modules, those that only one place of the library may touch. */
const NODE_IMPORTERS: Record<string, (path: string) => boolean> = {
  'node:stream': (path) => path === 'src/extract/readable.ts',
  'node:fs': (path) =>
    path.startsWith('src/storage/') || path.startsWith('src/snapshot/') || path === 'src/process-identity.ts',
  'node:fs/promises': (path) => path.startsWith('src/storage/') || path.startsWith('src/snapshot/'),
  'node:process': () => false,
  'node:child_process': () => false,
};

interface Import {
  from: string;
  to: string;
}

const sourceFiles = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && !path.includes('/test/') && !path.endsWith('.test.ts'));

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*'([^']+)'|\bimport\(\s*'([^']+)'/g;

function importsOf(path: string): Import[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, fixed, dynamic]) => {
    const name = fixed ?? dynamic ?? '';
    if (!name.startsWith('.')) return { from: path, to: name };
    return { from: path, to: relative(ROOT, join(ROOT, dirname(path), name)).replace(/\.js$/, '.ts') };
  });
}

function layerOf(path: string): string {
  if (path === 'src/index.ts') return 'index';
  if (path.startsWith('connectors/')) return 'connectors';
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? 'leaf';
}

const files = [...sourceFiles('src'), ...sourceFiles('connectors')];
const imports = files.flatMap(importsOf);
const inside = imports.filter(({ to }) => to.endsWith('.ts'));

describe('the layers', () => {
  it('are all known, and every import was found where it points to', () => {
    expect(new Set(files.map(layerOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
    expect(inside.filter(({ to }) => !files.includes(to))).toEqual([]);
    expect(inside.length).toBeGreaterThan(100);
  });

  it('import downwards only', () => {
    const upward = inside.filter(({ from, to }) => {
      const [layer, target] = [layerOf(from), layerOf(to)];
      return layer !== target && !MAY_IMPORT[layer]?.includes(target);
    });
    expect(upward).toEqual([]);
  });

  it('have no circles', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to } of inside) graph.set(from, [...(graph.get(from) ?? []), to]);
    const done = new Set<string>();
    const circles: string[][] = [];
    const walk = (path: string, trail: string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path]);
      if (done.has(path) || trail.includes(path)) return;
      for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
      done.add(path);
    };
    for (const path of files) walk(path, []);
    expect(circles).toEqual([]);
  });
});

describe('packages', () => {
  it.each(Object.entries(IMPORTERS))('%s is imported only where its layer says', (name, allowed) => {
    const importers = imports
      .filter(({ to }) => to === name || to.startsWith(`${name}/`))
      .map(({ from }) => from);
    expect(importers.filter((path) => !allowed.includes(path))).toEqual([]);
  });

  it.each(Object.entries(NODE_IMPORTERS))('%s stays where it belongs', (name, isAllowed) => {
    const importers = imports.filter(({ from, to }) => to === name && from.startsWith('src/'));
    expect(importers.filter(({ from }) => !isAllowed(from))).toEqual([]);
  });

  it('beyond zod and the table, the library imports none', () => {
    const known = ['zod', ...Object.keys(IMPORTERS)];
    const others = imports.filter(
      ({ from, to }) =>
        from.startsWith('src/') &&
        !to.endsWith('.ts') &&
        !to.startsWith('node:') &&
        !known.some((name) => to === name || to.startsWith(`${name}/`)),
    );
    expect(others).toEqual([]);
  });
});

describe('the library', () => {
  it('never logs, never exits, never reads the environment', () => {
    const code = (path: string) =>
      readFileSync(join(ROOT, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    const offenders = files.filter(
      (path) =>
        path.startsWith('src/') && /\bconsole\.|process\.(exit|env|argv|stdout|stderr)\b/.test(code(path)),
    );
    expect(offenders).toEqual([]);
  });
});
