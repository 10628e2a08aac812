import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, readManifest, StorageError, verify } from '../../src/index.js';
import { clockAt, moved } from '../run/support/clocks.js';
import { take, temporaryFolder, uuidOf } from '../run/support/tree.js';
import { lastManifest } from './support/tamper.js';

const YESTERDAY = '2026-11-22';

/** A root on a disk that is full when files are put into it: what was read stays staged. */
class Full extends LocalStorage {
  override async put(): Promise<void> {
    throw new StorageError('The disk is full.', { code: 'storage_enospc' });
  }
}

const findings = async (root: string) =>
  (await verify({ storage: new LocalStorage(root), all: true })).findings;

describe('a day whose manifest is lost', () => {
  it('does not keep the next night from its dump, which is compared with an older day', async () => {
    await using api = await startFixtureApi({ sizes: [100] });
    await using small = await startFixtureApi({ sizes: [10] });
    await using root = await temporaryFolder();
    await take(api, root.path, { runDate: '2026-11-21' });
    await take(api, root.path, { runDate: YESTERDAY });
    await rm(await lastManifest(root.path));
    await expect(take(small, root.path)).rejects.toThrow('Against the snapshot of 2026-11-21');
    expect(await take(api, root.path)).toMatchObject({ status: 'complete' });
  });

  it('is dumped again with force, and is in order after that', async () => {
    await using api = await startFixtureApi({ sizes: [5] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const lost = await lastManifest(root.path);
    await rm(lost);
    await expect(take(api, root.path)).rejects.toMatchObject({ code: 'manifest_missing' });
    const { run_id } = await take(api, root.path, { force: true });
    expect((await readManifest(new LocalStorage(root.path), '2026-11-23'))?.run_id).toBe(run_id);
    // The evidence of the loss is kept: the log still names the manifest.
    expect(await findings(root.path)).toMatchObject([
      { problem: 'missing', path: lost.slice(root.path.length + 1) },
    ]);
  });
});

it('a run date of the future, given by mistake, is nothing to compare with', async () => {
  await using api = await startFixtureApi({ sizes: [100] });
  await using typo = await startFixtureApi({ sizes: [10] });
  await using root = await temporaryFolder();
  await take(api, root.path, { runDate: YESTERDAY });
  await take(typo, root.path, { runDate: '2099-01-01', force: true });
  const shrunk = take(typo, root.path, { clock: clockAt('2026-11-23T12:00:00Z') });
  await expect(shrunk).rejects.toThrow(`Against the snapshot of ${YESTERDAY}`);
});

describe('a resumed run', () => {
  it('that was published as incomplete is published again when it has read what had failed', async () => {
    await using api = await startFixtureApi({ sizes: [3, 5] });
    await using root = await temporaryFolder();
    class Dying extends LocalStorage {
      override async write(key: string, bytes: AsyncIterable<Uint8Array>) {
        if (key.endsWith('manifest.json'))
          throw new StorageError('The disk is full.', { code: 'storage_enospc' });
        return await super.write(key, bytes);
      }
    }
    api.fault({ match: { organizationUuid: uuidOf(api, 1), times: 1 }, do: { type: 'answer', status: 500 } });
    const first = take(api, root.path, { onOrgFailure: 'continue', storage: new Dying(root.path) });
    await expect(first).rejects.toMatchObject({ code: 'storage_enospc' });
    const resumed = await take(api, root.path, { onOrgFailure: 'continue', clock: moved(61_000) });
    expect(resumed).toMatchObject({ status: 'complete', tables: { users: { rows: 8 } } });
    expect(await findings(root.path)).toEqual([]);
  });

  it('reads everything again when a run that began later was published meanwhile', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await using here = await temporaryFolder();
    await using there = await temporaryFolder();
    const staged = take(api, root.path, { state: here.path, storage: new Full(root.path) });
    await expect(staged).rejects.toMatchObject({ code: 'storage_enospc' });
    api.insertUser(uuidOf(api, 0));
    await take(api, root.path, { state: there.path });
    const resumed = await take(api, root.path, { state: here.path });
    expect(resumed).toMatchObject({ tables: { users: { rows: 4 } } });
    expect(resumed.attempts).toHaveLength(1);
  });
});

it.each(['users', '_runs/log'])(
  'a root whose folder %s is a link is refused before anything is read',
  async (key) => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await using elsewhere = await temporaryFolder();
    if (key.includes('/')) await mkdir(join(root.path, '_runs'));
    await symlink(elsewhere.path, join(root.path, key));
    await expect(take(api, root.path)).rejects.toMatchObject({ code: 'folder_is_link', exitCode: 2 });
    expect(api.requests).toHaveLength(0);
  },
);

it('a log entry whose name is taken by something else ends a run instead of keeping it for ever', async () => {
  await using api = await startFixtureApi({ sizes: [3] });
  await using root = await temporaryFolder();
  await mkdir(join(root.path, '_runs/log/00000001.json'), { recursive: true });
  await expect(take(api, root.path)).rejects.toMatchObject({ code: 'log_damaged' });
});
