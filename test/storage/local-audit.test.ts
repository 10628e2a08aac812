import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/storage/local.js';
import { type Irregularity, once } from '../../src/storage/storage.js';
import { bytesOf, finish } from './objects.js';

let scratch: string;
let root: string;
let storage: LocalStorage;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-audit-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const PART = 'users/run_date=2026-01-31/org_uuid=a/part';
const OTHER = 'users/run_date=2026-02-01/part';

beforeEach(async () => {
  root = join(await mkdtemp(join(scratch, 'root-')), 'lake');
  storage = new LocalStorage(root);
  await storage.put(await finish(scratch, { [PART]: 'x', [OTHER]: 'x' }));
  await storage.create('_runs/log/1.json', bytesOf('x'));
  await storage.write('_runs/run_date=2026-01-31/manifest.json', once(bytesOf('x')));
});

async function audit(of = storage): Promise<Irregularity[]> {
  const found: Irregularity[] = [];
  for await (const irregularity of of.audit()) found.push(irregularity);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

const mode = (key: string, has: string, allowed: string): Irregularity => ({
  key,
  problem: 'mode',
  detail: `has mode ${has}, more than ${allowed}`,
});
const aLink = (key: string): Irregularity => ({ key, problem: 'link', detail: 'is a symbolic link' });

describe('audit', () => {
  it('finds nothing in a root that only this storage wrote', async () => {
    expect(await audit()).toEqual([]);
    expect(await audit(new LocalStorage(join(root, 'absent')))).toEqual([]);
  });

  it('finds every file and folder with a wider mode, the root among them', async () => {
    const wider = {
      '': 0o701,
      _runs: 0o770,
      '_runs/log': 0o755,
      '_runs/log/1.json': 0o602,
      '_runs/run_date=2026-01-31/manifest.json': 0o4600,
      users: 0o750,
      'users/run_date=2026-01-31/org_uuid=a': 0o710,
      [PART]: 0o640,
    };
    for (const [key, bits] of Object.entries(wider)) await chmod(join(root, key), bits);
    expect(await audit()).toEqual([
      mode('', '0701', '0700'),
      mode('_runs', '0770', '0700'),
      mode('_runs/log', '0755', '0700'),
      mode('_runs/log/1.json', '0602', '0600'),
      mode('_runs/run_date=2026-01-31/manifest.json', '4600', '0600'),
      mode('users', '0750', '0700'),
      mode('users/run_date=2026-01-31/org_uuid=a', '0710', '0700'),
      mode(PART, '0640', '0600'),
    ]);
  });

  it('allows what the modes of the storage allow, and what is narrower', async () => {
    await chmod(root, 0o2750);
    await chmod(join(root, PART), 0o640);
    await chmod(join(root, OTHER), 0o400);
    const readable = new LocalStorage(root, { fileMode: 0o640 });
    expect(await audit(readable)).toEqual([]);
    await chmod(join(root, PART), 0o660);
    expect(await audit(readable)).toEqual([mode(PART, '0660', '0640')]);
  });

  it('finds links to files, to folders and to nothing, at any depth, and follows none', async () => {
    const foreign = join(root, '../foreign');
    await mkdir(join(foreign, 'run_date=2026-01-31'), { recursive: true });
    await writeFile(join(foreign, 'run_date=2026-01-31/file'), 'x', { mode: 0o666 });
    await symlink(join(foreign, 'run_date=2026-01-31/file'), join(root, `${PART}-linked`));
    await symlink(join(foreign, 'run_date=2026-01-31'), join(root, 'users/run_date=2026-02-02'));
    await symlink('nowhere', join(root, '_runs/log/2.json'));
    await symlink(foreign, join(root, 'groups'));
    expect(await audit()).toEqual([
      aLink('_runs/log/2.json'),
      aLink('groups'),
      aLink(`${PART}-linked`),
      aLink('users/run_date=2026-02-02'),
    ]);
  });

  it('finds that the control files were moved behind a link', async () => {
    await rename(join(root, '_runs'), join(root, '../moved'));
    await symlink('../moved', join(root, '_runs'));
    expect(await audit()).toEqual([aLink('_runs')]);
  });

  it('looks into the control files of a root that has no snapshot yet', async () => {
    const fresh = new LocalStorage(`${root}-fresh`);
    await fresh.create('_runs/log/1.json', bytesOf('x'));
    await chmod(`${root}-fresh/_runs/log/1.json`, 0o644);
    expect(await audit(fresh)).toEqual([mode('_runs/log/1.json', '0644', '0600')]);
  });

  it('does not look at what belongs to others, nor at staged runs', async () => {
    await mkdir(join(root, 'notes/deep'), { recursive: true, mode: 0o777 });
    await writeFile(join(root, 'notes/deep/file'), 'x', { mode: 0o666 });
    await symlink('deep', join(root, 'notes/link'));
    await symlink('notes', join(root, 'link'));
    await symlink('nowhere', join(root, 'broken'));
    await writeFile(join(root, 'README'), 'x', { mode: 0o666 });
    await chmod(join(root, 'README'), 0o666);
    await mkdir(join(root, '_staging/run_date=x'), { recursive: true });
    await chmod(join(root, '_staging'), 0o777);
    await symlink('run_date=x', join(root, '_staging/run'));
    expect(await audit()).toEqual([]);
  });

  it('looks through a root that is a link: its owner chose that', async () => {
    await symlink(root, `${root}-link`);
    await chmod(join(root, PART), 0o644);
    expect(await audit(new LocalStorage(`${root}-link`))).toEqual([mode(PART, '0644', '0600')]);
  });
});
