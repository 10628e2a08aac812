import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { abandon, commit } from '../../src/lake/commit.js';
import { readLog } from '../../src/lake/log.js';
import { manifestFiles } from '../../src/lake/manifest.js';
import { currentManifestKey, logKey, manifestKey, newRunId } from '../../src/lake/paths.js';
import { settle } from '../../src/lake/settle.js';
import type { Storage } from '../../src/storage/storage.js';

import { openDay, type Prepared, prepare, RUN_DATE } from './support/day.js';
import { MemoryStorage } from './support/memory-storage.js';
import { scratchFolder } from './support/scratch-folder.js';
import { harmedStrangers, plantStrangers, STRANGERS } from './support/strangers.js';

const folder = scratchFolder();

const clock = systemClock;
const HOUR = 60 * 60 * 1000;
const COPY = currentManifestKey(RUN_DATE);

const settled = (storage: Storage, later = 0) =>
  settle({ storage, runDate: RUN_DATE, clock: { ...clock, now: () => clock.now() + later } });

/** Puts the files of a run, and commits it; `settle` is left to the test. */
async function published(storage: Storage): Promise<Prepared> {
  const day = await openDay(storage);
  const prepared = await prepare(day, folder.path);
  await storage.put(prepared.files);
  await commit({ storage, manifest: prepared.manifest, expected: day.expected, clock });
  return prepared;
}

/** Puts the files of a run that ends before its log entry. @param before now, in milliseconds */
async function interrupted(storage: MemoryStorage, before = 0): Promise<{ runId: string; keys: string[] }> {
  const day = await openDay(storage, { runId: newRunId(clock.now() - before) });
  const { manifest, files } = await prepare(day, folder.path);
  await storage.put(files);
  const key = manifestKey(RUN_DATE, day.runId);
  storage.plant(key, JSON.stringify(manifest));
  return { runId: day.runId, keys: [...files.map((file) => file.key), key] };
}

const keysOf = ({ manifest }: Prepared): string[] => manifestFiles(manifest).map(({ path }) => path);
const present = (storage: MemoryStorage, keys: readonly string[]): string[] =>
  keys.filter((key) => storage.objects.has(key));
const dataOf = (storage: MemoryStorage): string[] =>
  [...storage.objects.keys()].filter((key) => !key.startsWith('_') && !STRANGERS.includes(key)).sort();

describe('settle', () => {
  it.each<[string, (storage: MemoryStorage) => void]>([
    ['missing', (storage) => storage.objects.delete(COPY)],
    ['cut', (storage) => storage.plant(COPY, '{"manifest_ver')],
    ['of an older manifest', (storage) => storage.plant(COPY, '{"manifest_version":1}')],
  ])('writes the copy of the manifest that is %s', async (_, damage) => {
    const storage = new MemoryStorage();
    const { manifest } = await published(storage);
    await settled(storage);
    damage(storage);
    await settled(storage);
    expect(storage.text(COPY)).toBe(storage.text(manifestKey(RUN_DATE, manifest.run_id)));
  });

  it('removes the files of the runs that were replaced, and keeps their manifests', async () => {
    const storage = new MemoryStorage();
    const [first, second, third] = [
      await published(storage),
      await published(storage),
      await published(storage),
    ];
    await settled(storage);
    expect(dataOf(storage)).toEqual(keysOf(third).sort());
    for (const { manifest } of [first, second, third])
      expect(storage.objects.has(manifestKey(RUN_DATE, manifest.run_id))).toBe(true);
  });

  it('keeps what the current manifest names, whoever put it there', async () => {
    const storage = new MemoryStorage();
    const first = await published(storage);
    const day = await openDay(storage);
    const written = { ...first.manifest.written, action: 'compact' as const, run_id: day.runId };
    await commit({ storage, manifest: { ...first.manifest, written }, expected: day.expected, clock });
    await settled(storage);
    expect(dataOf(storage)).toEqual(keysOf(first).sort());
  });

  it('removes the files and the manifest of a run that was abandoned, at once', async () => {
    const storage = new MemoryStorage();
    const current = await published(storage);
    const dead = await interrupted(storage);
    await abandon({ storage, runDate: RUN_DATE, deadRun: dead.runId, runId: newRunId(clock.now()), clock });
    await settled(storage);
    expect(present(storage, dead.keys)).toEqual([]);
    expect(dataOf(storage)).toEqual(keysOf(current).sort());
  });

  it('removes the files of a run that it is said will never commit, and of no other', async () => {
    const storage = new MemoryStorage();
    const [rejected, working] = [await interrupted(storage), await interrupted(storage, 30 * HOUR)];
    const { runId: rejectedRun } = rejected;
    await settle({ storage, runDate: RUN_DATE, clock, rejectedRun });
    expect(present(storage, rejected.keys)).toEqual([]);
    expect(present(storage, working.keys)).toEqual(working.keys);
  });

  it('for a new holder of the lease abandons every other run that has left files, and then removes them', async () => {
    const storage = new MemoryStorage();
    const current = await published(storage);
    const dead = [await interrupted(storage), await interrupted(storage, 30 * HOUR)];
    const holder = await interrupted(storage);
    const request = { storage, runDate: RUN_DATE, clock, newHolder: holder.runId };
    const { log } = await settle(request);
    for (const { keys } of dead) expect(present(storage, keys)).toEqual([]);
    expect(present(storage, holder.keys)).toEqual(holder.keys);
    expect(present(storage, keysOf(current))).toEqual(keysOf(current));
    const entries = log.slice(1).map(({ entry }) => [entry?.action, entry?.run_id, entry?.replaces]);
    expect(entries.sort()).toEqual(dead.map(({ runId }) => ['abandon', holder.runId, runId]).sort());
    expect((await settle(request)).log).toEqual(log);
  });

  it('keeps the files of a run that nobody knows, however old they are: it may have committed since the log was read', async () => {
    const storage = new MemoryStorage();
    await published(storage);
    const unknown = await interrupted(storage);
    await settled(storage, 400 * 24 * HOUR);
    expect(present(storage, unknown.keys)).toEqual(unknown.keys);
  });

  it('removes nothing of a run that is older than a day and current', async () => {
    const storage = new MemoryStorage();
    const current = await published(storage);
    await settled(storage, 400 * 24 * HOUR);
    expect(dataOf(storage)).toEqual(keysOf(current).sort());
  });

  it('never touches a file with a name that none of ours has', async () => {
    const storage = new MemoryStorage();
    plantStrangers(storage);
    const dead = await interrupted(storage);
    await abandon({ storage, runDate: RUN_DATE, deadRun: dead.runId, runId: newRunId(clock.now()), clock });
    await published(storage);
    const current = await published(storage);
    await settled(storage, 400 * 24 * HOUR);
    expect(harmedStrangers(storage)).toEqual([]);
    expect(present(storage, dead.keys)).toEqual([]);
    expect(dataOf(storage)).toEqual(keysOf(current).sort());
  });

  it('does nothing where all is in order', async () => {
    const storage = new MemoryStorage();
    await published(storage);
    await settled(storage);
    const before = new Map(storage.objects);
    const changes: string[] = [];
    class Watched extends MemoryStorage {
      override async write(key: string, bytes: AsyncIterable<Uint8Array>) {
        changes.push(key);
        return await super.write(key, bytes);
      }
      override async remove(key: string) {
        changes.push(key);
        await super.remove(key);
      }
    }
    const watched = new Watched(before);
    await settled(watched);
    expect(changes).toEqual([]);
    expect(watched.objects).toEqual(before);
  });

  it('does not fail at a day of which nothing was published', async () => {
    const storage = new MemoryStorage();
    expect(await settled(storage)).toEqual({ log: [], current: undefined });
    expect(storage.objects.size).toBe(0);
  });

  it.each<[string, string, (storage: MemoryStorage, current: Prepared) => void]>([
    ['its log is damaged', 'log_damaged', (storage) => storage.objects.delete(logKey(1))],
    [
      'its manifest is missing',
      'manifest_missing',
      (storage, { manifest }) => storage.objects.delete(manifestKey(RUN_DATE, manifest.run_id)),
    ],
    [
      'its manifest was changed',
      'manifest_differs',
      (storage, { manifest }) => storage.plant(manifestKey(RUN_DATE, manifest.run_id), '{}'),
    ],
  ])('removes nothing of a day when %s', async (_, code, damage) => {
    const storage = new MemoryStorage();
    await published(storage);
    const current = await published(storage);
    await interrupted(storage, 30 * HOUR);
    damage(storage, current);
    const before = new Map(storage.objects);
    await expect(settled(storage)).rejects.toMatchObject({ name: 'StorageError', code });
    expect(storage.objects).toEqual(before);
  });

  it('is done again when the day was changed meanwhile, so that the copy is the current one', async () => {
    const first = new MemoryStorage();
    await published(first);
    let later: Prepared | undefined;
    class Slow extends MemoryStorage {
      override async write(key: string, bytes: AsyncIterable<Uint8Array>) {
        if (key === COPY && later === undefined) {
          later = await published(this);
          await settled(this);
        }
        return await super.write(key, bytes); // the older copy over the newer one
      }
    }
    const storage = new Slow(first.objects);
    await settled(storage);
    expect(JSON.parse(storage.text(COPY) ?? '')).toEqual(later?.manifest);
    expect(dataOf(storage)).toEqual(keysOf(later as Prepared).sort());
    expect(await readLog(storage)).toHaveLength(2);
  });
});
