import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, listSnapshots, readManifest } from '../../src/index.js';
import { stoppedAt } from '../run/support/clocks.js';
import { take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { dayRoots, pruned, TODAY } from './support/days.js';

const days = dayRoots();
const list = (root: string) => listSnapshots({ storage: new LocalStorage(root) });

describe('the list of snapshots', () => {
  it('says of each run date what its manifest says, the oldest first', async () => {
    await using root = await days.rootWith('two');
    const { head, snapshots, unreadable } = await list(root.path);
    const manifest = await readManifest(new LocalStorage(root.path), '2026-11-20');
    expect(snapshots[0]).toEqual({
      runDate: '2026-11-20',
      runId: manifest?.run_id,
      status: 'complete',
      format: 'ndjson',
      layouts: ['per-org'],
      streams: [
        { stream: 'organizations', rows: 2, isComplete: true, change: null, since: null },
        { stream: 'users', rows: 7, isComplete: true, change: null, since: null },
      ],
      files: 3,
      bytes: manifest?.totals.bytes,
      startedAt: manifest?.started_at,
      isBackDated: true,
      extractedAt: manifest?.extracted_at,
    });
    expect(snapshots.map(({ runDate }) => runDate)).toEqual(['2026-11-20', TODAY]);
    expect(unreadable).toEqual([]);
    expect(head.entries).toBe(2);
  });

  it('compares a count with the newest complete one before it, stream by stream', async () => {
    await using root = await temporaryFolder();
    await using first = await startFixtureApi({ sizes: [3, 4] });
    await using second = await startFixtureApi({ sizes: [3, 4, 5] });
    const all = ['organizations', 'users', 'roles'] as never;
    const at = (day: string) => ({ runDate: day, clock: stoppedAt(`${day}T12:00:00Z`) });
    await take(first, root.path, { ...at('2026-11-01'), streams: all });
    await take(second, root.path, { ...at('2026-11-02'), org: [uuidOf(second, 0)] });
    await take(second, root.path, { ...at('2026-11-04') });
    await take(first, root.path, { ...at('2026-11-05'), streams: all });
    const { snapshots } = await list(root.path);
    const changes = snapshots.map(({ runDate, status, streams }) => [
      runDate,
      status,
      ...streams.map(({ stream, rows, change, since }) => `${stream} ${rows} ${change} ${since}`),
    ]);
    const roles = [...first.organizations()].flatMap(({ uuid }) => [...first.records('roles', String(uuid))]);
    expect(changes).toEqual([
      [
        '2026-11-01',
        'complete',
        'organizations 2 null null',
        'users 7 null null',
        `roles ${roles.length} null null`,
      ],
      ['2026-11-02', 'scoped', 'organizations 1 null null', 'users 3 null null'],
      ['2026-11-04', 'complete', 'organizations 3 1 2026-11-01', 'users 12 5 2026-11-01'],
      [
        '2026-11-05',
        'complete',
        'organizations 2 -1 2026-11-04',
        'users 7 -5 2026-11-04',
        `roles ${roles.length} 0 2026-11-01`,
      ],
    ]);
  });

  it('says of a stream that the API served nothing of that it is not known', async () => {
    await using off = await startFixtureApi({ sizes: [2], settings: 'off' });
    await using root = await temporaryFolder();
    await take(off, root.path, { streams: ['organizations', 'users', 'organization_settings'] as never });
    const [snapshot] = (await list(root.path)).snapshots;
    expect(snapshot?.streams[2]).toEqual({
      stream: 'organization_settings',
      rows: null,
      isComplete: false,
      change: null,
      since: null,
    });
  });

  it('keeps the counts of what was pruned, and reads no data file', async () => {
    await using root = await days.rootWith('two');
    await pruned(root.path, { keepDays: 1 });
    await rm(join(root.path, 'users'), { recursive: true });
    const [first, last] = (await list(root.path)).snapshots;
    expect(first).toMatchObject({
      status: 'pruned',
      files: 0,
      bytes: 0,
      streams: [{ rows: 2 }, { rows: 7 }],
    });
    expect(last?.streams).toMatchObject([{ change: 0 }, { change: 0, since: '2026-11-20' }]);
  });

  it('names a run date whose manifest was changed, and lists the others', async () => {
    await using root = await days.rootWith('two');
    const { run_id } = (await readManifest(new LocalStorage(root.path), '2026-11-20')) ?? {};
    await writeFile(join(root.path, `_runs/run_date=2026-11-20/${run_id}.json`), '{}');
    const { snapshots, unreadable } = await list(root.path);
    expect(snapshots.map(({ runDate }) => runDate)).toEqual([TODAY]);
    expect(unreadable).toMatchObject([{ runDate: '2026-11-20', code: 'manifest_differs' }]);
  });

  it('is refused for a place where nothing was published, and by a log that is damaged', async () => {
    await using empty = await temporaryFolder();
    await expect(list(empty.path)).rejects.toMatchObject({ code: 'snapshot_missing', exitCode: 2 });
    await using root = await days.rootWith('four');
    await rm(join(root.path, '_runs/log/00000002.json'));
    await expect(list(root.path)).rejects.toMatchObject({ code: 'log_damaged' });
  });
});
