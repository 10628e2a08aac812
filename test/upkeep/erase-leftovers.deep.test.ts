import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSink,
  LocalStorage,
  type Manifest,
  manifestFiles,
  readLog,
  streams,
  systemClock,
  verify,
} from '../../src/index.js';
import { acquireLease } from '../../src/lake/lease.js';
import { thisProcess } from '../../src/process-identity.js';
import { userColumn } from '../../src/streams/stream.js';
import { type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { MemoryStorage } from '../root/support/memory-storage.js';
import { filesBelow, stagedRuns, temporaryFolder } from '../run/support/tree.js';
import { DATES, erased, manifestOf, replacementIn, threeDays } from './support/erased-root.js';
import { dayWithPerson, filesNaming, PERSON, PERSON_TEXTS } from './support/person.js';
import { forgeManifest } from './support/tamper.js';

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const NEXT_DATE = '2026-11-23';

/** A dump of the next day that ends before everything was read: its unfinished run names the person. */
async function interruptedDump(root: string, state?: string): Promise<void> {
  const day = dayWithPerson(2);
  const failing = Object.keys(day.lists).filter((list) => list.startsWith('group_members/'));
  const run = take(
    api,
    new LocalStorage(root),
    { ...day, failing },
    {
      runDate: NEXT_DATE,
      onOrgFailure: 'stop',
      ...(state !== undefined && { state }),
    },
  );
  await expect(run).rejects.toMatchObject({ exitCode: 75 });
}

const threeDaysIn = async () => {
  const folder = await temporaryFolder();
  await threeDays(api, folder.path);
  return folder;
};

describe('an erasure', () => {
  it('changes nothing when no user has the id, and says so', async () => {
    await using folder = await threeDaysIn();
    const before = await filesBelow(folder.path);
    const result = await erased(folder.path, { user: 'user_01NobodyHasThisId' });
    expect(result).toMatchObject({ isKnown: false, snapshots: 3, erased: [], failed: [], left: [] });
    expect(await filesBelow(folder.path)).toEqual(before);
  });

  it('never takes a word that many rows have for the id of a user', async () => {
    await using folder = await threeDaysIn();
    const before = await filesBelow(folder.path);
    expect((await erased(folder.path, { user: 'impersonate' })).isKnown).toBe(false);
    expect(await filesBelow(folder.path)).toEqual(before);
  });

  it('makes a plan first: a dry run reports what would be erased, and changes nothing', async () => {
    await using folder = await threeDaysIn();
    const before = await filesBelow(folder.path);
    const plan = await erased(folder.path, { dryRun: true });
    expect(await filesBelow(folder.path)).toEqual(before);
    expect(plan.erased).toHaveLength(3);
    expect((await erased(folder.path)).erased).toEqual(plan.erased);
  });

  it('does nothing the second time, and says when it was done', async () => {
    await using folder = await threeDaysIn();
    await erased(folder.path);
    const before = await filesBelow(folder.path);
    const again = await erased(folder.path);
    expect(again).toMatchObject({ isKnown: true, erased: [], failed: [], left: [] });
    const erasedAt = async (date: string) =>
      (await manifestOf(folder.path, date)).erasures?.at(-1)?.erased_at;
    expect(again.erasedBefore).toEqual(
      await Promise.all(DATES.map(async (runDate) => ({ runDate, erasedAt: await erasedAt(runDate) }))),
    );
    expect(await filesBelow(folder.path)).toEqual(before);
  });

  it('is repeated when a later dump has read the person again, and the same text replaces the person', async () => {
    await using folder = await threeDaysIn();
    await erased(folder.path);
    await take(api, new LocalStorage(folder.path), dayWithPerson(2), { runDate: NEXT_DATE });
    expect(await filesNaming(folder.path, PERSON_TEXTS)).not.toEqual([]);
    // No row knows the former name any more, which the new day still quotes.
    const again = await erased(folder.path, { knownAs: ['a.king@example.com', 'Ada King'] });
    expect(again.erased.map(({ runDate }) => runDate)).toEqual([NEXT_DATE]);
    expect(replacementIn(await manifestOf(folder.path, NEXT_DATE))).toBe(
      replacementIn(await manifestOf(folder.path, DATES[0])),
    );
    expect(await filesNaming(folder.path, PERSON_TEXTS)).toEqual([]);
  });

  it('drops the unfinished runs of the root, wherever they are staged', async () => {
    for (const isElsewhere of [false, true]) {
      await using folder = await threeDaysIn();
      await using elsewhere = await temporaryFolder();
      const state = isElsewhere ? elsewhere.path : undefined;
      await interruptedDump(folder.path, state);
      const staging = join(state ?? folder.path, '_staging');
      expect(await stagedRuns(staging)).toHaveLength(1);
      const result = await erased(folder.path, state === undefined ? {} : { state });
      expect(result).toMatchObject({ droppedRuns: 1, failed: [], left: [] });
      expect(await stagedRuns(staging)).toEqual([]);
      expect(await filesNaming(folder.path, PERSON_TEXTS)).toEqual([]);
      expect(await filesNaming(elsewhere.path, PERSON_TEXTS)).toEqual([]);
    }
  });

  it('reports a day that another run works on, and finishes it the next time', async () => {
    await using folder = await threeDaysIn();
    const storage = new LocalStorage(folder.path);
    const lease = await acquireLease({
      storage,
      runDate: DATES[1],
      runId: '20261121T000000Z-00000000',
      clock: systemClock,
    });
    try {
      const result = await erased(folder.path);
      // The rows that know the former name stay: the day that could not be changed may quote it.
      expect(result.failed).toMatchObject([
        { runDate: DATES[1], code: 'locked', failure: 'transient' },
        { runDate: DATES[0], code: 'waits_for_other_day', failure: 'transient' },
        { runDate: DATES[2], code: 'waits_for_other_day', failure: 'transient' },
      ]);
      expect(await filesNaming(folder.path, PERSON_TEXTS)).not.toEqual([]);
    } finally {
      await lease.release();
    }
    expect(await erased(folder.path)).toMatchObject({ failed: [], left: [] });
    expect(await filesNaming(folder.path, PERSON_TEXTS)).toEqual([]);
  });

  it('removes what dead processes have left, and reports what may belong to others', async () => {
    await using folder = await threeDaysIn();
    const root = folder.path;
    const [pid, start, space = ''] = thisProcess.split('.');
    const temporary = join(root, '_staging/tmp');
    await mkdir(temporary, { recursive: true });
    const dead = join(temporary, `${pid}.${Number(start) - 1}.${space}.${randomUUID()}`);
    const far = join(temporary, `${pid}.${start}.${space.replace(/./g, '0')}.${randomUUID()}`);
    for (const path of [dead, far]) await writeFile(path, PERSON);
    const copy = `users/run_date=${DATES[0]}/backup.ndjson`;
    await writeFile(join(root, copy), PERSON);
    const result = await erased(root);
    expect(result.left).toEqual([
      { path: copy, problem: 'foreign' },
      { path: far, problem: 'temporary' },
    ]);
    const naming = await filesNaming(root, [PERSON]);
    expect(naming.sort()).toEqual([far.slice(root.length + 1), copy]);
  });

  it('reports the manifests that quote the person, which are never changed', async () => {
    await using folder = await threeDaysIn();
    await forgeManifest(folder.path, ({ tables }) => {
      const [slice] = tables.users?.slices ?? [];
      if (slice) slice.reason = { code: 'x', message: 'The API says: no ada.lovelace@example.com here.' };
    });
    const quoting = (await readLog(new LocalStorage(folder.path))).at(-1)?.entry;
    const { left } = await erased(folder.path);
    expect(left[0]).toEqual({
      path: `_runs/run_date=${DATES[2]}/${quoting?.run_id}.json`,
      problem: 'manifest',
    });
  });

  it('keeps on with the other days when one is damaged', async () => {
    await using folder = await threeDaysIn();
    const [file] = manifestFiles(await manifestOf(folder.path, DATES[1])).filter(
      ({ table }) => table === 'users',
    );
    await writeFile(join(folder.path, file?.path ?? ''), '{');
    const result = await erased(folder.path);
    expect(result.failed).toMatchObject([{ runDate: DATES[1], code: 'file_differs', failure: 'system' }]);
    expect(result.erased.map(({ runDate }) => runDate)).toEqual([DATES[0], DATES[2]]);
  });

  it('keeps on with the other days when the manifest of one is missing', async () => {
    await using folder = await threeDaysIn();
    const storage = new LocalStorage(folder.path);
    const entry = (await readLog(storage))[1]?.entry;
    await storage.remove(`_runs/run_date=${entry?.run_date}/${entry?.run_id}.json`);
    const result = await erased(folder.path);
    expect(result.failed).toMatchObject([{ runDate: DATES[1], code: 'manifest_missing', failure: 'system' }]);
    expect(result.erased.map(({ runDate }) => runDate)).toEqual([DATES[0], DATES[2]]);
  });

  it('finds no id in a folder or a manifest: no stream has a list for each user', () => {
    const parents = streams.flatMap(({ parent }) => (parent ? [parent.stream] : []));
    expect(parents.length).toBeGreaterThan(3);
    expect(parents.filter((stream) => userColumn(stream))).toEqual([]);
  });

  it('works in a bucket, with a local folder for what is not published yet', async () => {
    await using state = await temporaryFolder();
    const storage = new MemoryStorage();
    await threeDays(api, '', { storage, state: state.path, format: 'csv', layout: 'per-date' });
    await expect(erased('', { storage })).rejects.toMatchObject({ code: 'state_missing' });
    expect(await erased('', { storage, state: state.path })).toMatchObject({ failed: [], left: [] });
    const all = Buffer.concat([...storage.objects].flatMap(([key, bytes]) => [Buffer.from(key), bytes]));
    for (const text of PERSON_TEXTS) expect(all.includes(Buffer.from(text)), text).toBe(false);
    expect((await verify({ storage, all: true })).findings).toEqual([]);
    expect(await readdir(join(state.path, '_staging/tmp'))).toEqual([]);
  });

  it('finds the person in a root whose addresses and names are pseudonyms', async () => {
    await using folder = await temporaryFolder();
    const { createPseudonyms } = await import('../../src/index.js');
    const pseudonyms = createPseudonyms({ key: Buffer.alloc(32, 7), columns: ['email', 'full_name'] });
    const storage = new LocalStorage(folder.path);
    await take(api, storage, dayWithPerson(0), { runDate: DATES[0], pseudonyms, sink: createSink('ndjson') });
    const pseudonym = pseudonyms.of('email', 'a.king@example.com');
    expect(await filesNaming(folder.path, [pseudonym])).not.toEqual([]);
    await erased(folder.path);
    expect(await filesNaming(folder.path, [PERSON, pseudonym])).toEqual([]);
    expect((await verify({ storage, all: true })).findings).toEqual([]);
    expect((await manifestOf(folder.path, DATES[0])).pseudonyms).toEqual(
      pseudonyms.scheme satisfies Manifest['pseudonyms'],
    );
  });

  it('refuses an id that is too short to be one, and a reason that is a text', async () => {
    await using folder = await threeDaysIn();
    await expect(erased(folder.path, { user: 'user' })).rejects.toMatchObject({ exitCode: 2 });
    await expect(erased(folder.path, { reason: 'Ada asked' })).rejects.toMatchObject({ exitCode: 2 });
  });
});
