import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { brokenEntries, readLog } from '../../../src/lake/log.js';
import { type Manifest, manifestFiles } from '../../../src/lake/manifest.js';
import { readManifest } from '../../../src/lake/manifest-file.js';
import { currentManifestKey, manifestKey } from '../../../src/lake/paths.js';
import { RUN_DATE } from './day.js';
import type { MemoryStorage } from './memory-storage.js';
import { STRANGERS } from './strangers.js';

/** What holds at any moment: the log is a chain, its manifests exist, and so does what the current one names. */
export async function expectReadable(storage: MemoryStorage): Promise<void> {
  const log = await readLog(storage);
  expect(brokenEntries(log)).toEqual([]);
  for (const { entry } of log)
    if (entry?.manifest_sha256) expect(storage.objects.has(manifestKey(RUN_DATE, entry.run_id))).toBe(true);
  const current = await readManifest(storage, RUN_DATE);
  for (const { path, bytes, sha256 } of current ? manifestFiles(current) : []) {
    const found = storage.objects.get(path);
    expect([path, found?.byteLength]).toEqual([path, bytes]);
    expect(
      createHash('sha256')
        .update(found ?? '')
        .digest('hex'),
    ).toBe(sha256);
  }
}

/** What holds when the day is in order: nothing but what the current manifest names is in the tables. */
export async function expectInOrder(storage: MemoryStorage): Promise<void> {
  await expectReadable(storage);
  const current = (await readManifest(storage, RUN_DATE)) as Manifest;
  const data = [...storage.objects.keys()].filter((key) => !key.startsWith('_') && !STRANGERS.includes(key));
  expect(data.sort()).toEqual(
    manifestFiles(current)
      .map(({ path }) => path)
      .sort(),
  );
  expect(storage.text(currentManifestKey(RUN_DATE))).toBe(
    storage.text(manifestKey(RUN_DATE, current.written.run_id)),
  );
  const committed = (await readLog(storage)).flatMap(({ entry }) =>
    entry?.manifest_sha256 ? [manifestKey(RUN_DATE, entry.run_id)] : [],
  );
  const manifests = [...storage.objects.keys()].filter((key) =>
    /^_runs\/run_date=.*Z-\w{8}\.json$/.test(key),
  );
  expect(manifests.filter((key) => !STRANGERS.includes(key)).sort()).toEqual(committed.sort());
  expect([...storage.objects.keys()].filter((key) => /leases\/[\d-]+\.json$/.test(key))).toEqual([]);
}
