/**
 * Who may do what, derived from a snapshot: time and memory.
 * `npm run bench -- access [users] [organizations] [groups] [memberships] [formats]`; the table is Markdown. The memory is
 * compared with that of a process that decodes the largest file of the snapshot and does nothing else.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { effectiveAccess, LocalStorage, type Manifest, manifestFiles, streams } from '../src/index.js';
import { decodeFile } from '../src/sinks/index.js';
import { type DirectorySize, publishDirectory } from './directory-root.js';
import { head, row } from './markdown-table.js';
import { measured } from './measured.js';

/** Megabytes that may be added to the memory of reading the largest file. */
const BOUND = 300;

interface Counted {
  rows: number;
  /** Of the source `organization_role`: as many as users. */
  users: number;
  /** Of users in groups: as many as memberships. */
  memberships: number;
}

async function derive(root: string, scratch: string): Promise<void> {
  const counted: Counted = { rows: 0, users: 0, memberships: 0 };
  let last = '';
  for await (const rows of effectiveAccess({ storage: new LocalStorage(root), scratch })) {
    counted.rows += rows.length;
    for (const { source, user_id, group_id } of rows) {
      if (source === 'organization_role') counted.users += 1;
      else if (last !== `${user_id} ${group_id}`) {
        last = `${user_id} ${group_id}`;
        counted.memberships += 1;
      }
    }
  }
  console.log(JSON.stringify(counted));
}

async function decodeOne(root: string, path: string, format: string): Promise<void> {
  const schema = streams.find(({ name }) => path.startsWith(`${name}/`))?.schema;
  if (!schema) throw new Error(`${path} is of no stream`);
  let rows = 0;
  const bytes = new LocalStorage(root).read(path);
  for await (const batch of decodeFile({ format, path, schema, bytes })) rows += batch.length;
  console.log(rows);
}

const inProcess = (...args: string[]) => measured(['--import', 'tsx', import.meta.filename, ...args], {});

async function bench(format: string, size: DirectorySize): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const root = join(folder, format);
    const scratch = join(folder, 'scratch');
    await mkdir(scratch);
    const manifest: Manifest = await publishDirectory(root, format, size);
    const [largest] = manifestFiles(manifest).sort((a, b) => b.bytes - a.bytes);
    const one = await inProcess('decode', root, String(largest?.path), format);
    const all = await inProcess('derive', root, scratch);
    const counted: Counted = JSON.parse(all.stdout);
    if (counted.users !== size.users || counted.memberships !== size.memberships)
      throw new Error(`${format}: ${all.stdout}`);
    const more = all.peakRss - one.peakRss;
    row([
      format,
      (manifest.totals.bytes / 1e6).toFixed(0),
      counted.rows.toLocaleString('en-GB'),
      (all.elapsed / 1000).toFixed(1),
      (all.cpu / 1e6).toFixed(1),
      Math.round(all.peakRss),
      Math.round(one.peakRss),
    ]);
    if (more <= BOUND) return;
    process.exitCode = 1;
    console.error(`${format}: ${Math.round(more)} MB more than the largest file takes (bound ${BOUND})`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [mode = '', ...rest] = process.argv.slice(2);
if (mode === 'derive') await derive(rest[0] ?? '', rest[1] ?? '');
else if (mode === 'decode') await decodeOne(rest[0] ?? '', rest[1] ?? '', rest[2] ?? '');
else {
  const [users = 1_000_000, organizations = 1000, groups = 10_000, memberships = 3_000_000] = process.argv
    .slice(2, 6)
    .map(Number);
  const formats = process.argv[6]?.split(',') ?? ['parquet', 'ndjson', 'csv', 'arrow'];
  console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}`);
  const counts = [users, organizations, groups, memberships].map((n) => n.toLocaleString('en-GB'));
  head(`${counts[0]} users in ${counts[1]} organisations, ${counts[2]} groups, ${counts[3]} memberships`, [
    'MB read',
    'rows',
    'wall s',
    'CPU s',
    'peak RSS MB',
    'of the largest file alone',
  ]);
  for (const format of formats) await bench(format, { users, organizations, groups, memberships });
}
