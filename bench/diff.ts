/**
 * What changed between two days: time and memory. `npm run bench -- diff [users] [organizations] [formats]`; the table is Markdown.
 * Each scene is compared in a process of its own, with the number of changes that it must find.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { diffSnapshots, LocalStorage, type Stream, users as stream } from '../src/index.js';
import { type List, publishTables } from './directory-root.js';
import { head, row } from './markdown-table.js';
import { measured } from './measured.js';

const [FROM, TO] = ['2026-11-22', '2026-11-23'];
/** Megabytes of memory that a comparison may take. */
const BOUND = 400;

interface Scene {
  name: string;
  /** One of so many users has another role on the second day; 0: none. */
  changed: number;
  /** Whether the manifests say that the pages were the same. */
  isDigestKnown: boolean;
  /** Whether the second day serves each list from its end. */
  isReversed?: boolean;
}

const SCENES: readonly Scene[] = [
  { name: 'equal, by the digests of the pages', changed: 0, isDigestKnown: true },
  { name: 'equal, digests not known', changed: 0, isDigestKnown: false },
  { name: '1 % changed', changed: 100, isDigestKnown: false },
  { name: 'all changed', changed: 1, isDigestKnown: false },
  {
    name: '1 % changed, each list served in the opposite order',
    changed: 100,
    isDigestKnown: false,
    isReversed: true,
  },
];

function listsOf({ users, organizations }: Size, scene: Scene, isSecond: boolean): List[] {
  const per = Math.floor(users / organizations);
  return Array.from({ length: organizations }, (_, o) => {
    const parent = { organization_uuid: `0d5f9d7c-6d65-4c6f-8a0a-${String(o).padStart(12, '0')}` };
    const digest = createHash('sha256').update(String(o)).digest('hex');
    return {
      parent,
      rows: per,
      ...(scene.isDigestKnown && { digest }),
      row(k) {
        const n = o * per + (isSecond && scene.isReversed ? per - 1 - k : k);
        const isChanged = isSecond && scene.changed > 0 && n % scene.changed === 0;
        return {
          id: `user_01${String(n).padStart(22, '0')}`,
          full_name: `Given Family-${n}`,
          email: `given.family${n}@example.com`,
          organization_role: isChanged ? 'admin' : 'user',
          created_at: '2025-03-12T18:22:41.123456Z',
        };
      },
    };
  });
}

interface Size {
  users: number;
  organizations: number;
}

async function compare(root: string, scratch: string): Promise<void> {
  const diff = await diffSnapshots({ storage: new LocalStorage(root), from: FROM, to: TO, scratch });
  let changes = 0;
  for await (const rows of diff.changes()) changes += rows.length;
  console.log(changes);
}

async function bench(format: string, scene: Scene, size: Size): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const root = join(folder, 'root');
    for (const runDate of [FROM, TO]) {
      const tables = new Map<Stream, List[]>([[stream, listsOf(size, scene, runDate === TO)]]);
      await publishTables(root, { format, runDate, tables });
    }
    const { stdout, elapsed, cpu, peakRss } = await measured(
      ['--import', 'tsx', import.meta.filename, 'compare', root, join(folder, 'scratch')],
      {},
    );
    const expected = scene.changed === 0 ? 0 : Math.ceil(size.users / scene.changed);
    if (Number(stdout) !== expected)
      throw new Error(`${scene.name}: ${stdout.trim()} changes, not ${expected}`);
    row([
      `${format}: ${scene.name}`,
      (elapsed / 1000).toFixed(1),
      (cpu / 1e6).toFixed(1),
      (cpu / (2 * size.users)).toFixed(2),
      Math.round(peakRss),
    ]);
    if (peakRss <= BOUND) return;
    process.exitCode = 1;
    console.error(`${format}, ${scene.name}: ${Math.round(peakRss)} MB (bound ${BOUND})`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [mode = '', ...rest] = process.argv.slice(2);
if (mode === 'compare') await compare(rest[0] ?? '', rest[1] ?? '');
else {
  const [users = 5_000_000, organizations = 40] = process.argv.slice(2, 4).map(Number);
  const formats = process.argv[4]?.split(',') ?? ['parquet', 'ndjson'];
  console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}`);
  head(`2 × ${users.toLocaleString('en-GB')} users in ${organizations} organisations`, [
    'wall s',
    'CPU s',
    'CPU µs a row',
    'peak RSS MB',
  ]);
  for (const format of formats)
    for (const scene of SCENES) await bench(format, scene, { users, organizations });
}
