import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { isBackDated, LocalStorage, listSnapshots, type SnapshotOptions, verify } from '../../src/index.js';
import { clockAt, stoppedAt } from './support/clocks.js';
import { interrupted } from './support/interrupted.js';
import { filesBelow, take, temporaryFolder, uuidOf } from './support/tree.js';

const TODAY = '2026-11-23';
const clock = stoppedAt(`${TODAY}T23:59:59.999Z`);
const refusal = { name: 'ConfigError', code: 'run_date_not_today', exitCode: 2 };

/** A snapshot of a date, by a command line without `--back-dated`. */
const on = (runDate: string | undefined, options: Partial<SnapshotOptions> = {}) => ({
  runDate: runDate as string,
  backDated: false,
  clock,
  ...options,
});

/** What is shown of the days of a root. */
async function shown(root: string) {
  const storage = new LocalStorage(root);
  const { snapshots } = await listSnapshots({ storage });
  const { runDates, findings } = await verify({ storage, all: true });
  expect(findings).toEqual([]);
  const days = snapshots.map(({ runDate, startedAt, isBackDated }) => [runDate, startedAt, isBackDated]);
  const verified = runDates.map(({ runDate, startedAt, isBackDated }) => [runDate, startedAt, isBackDated]);
  expect(verified.toReversed()).toEqual(days);
  return days;
}

describe('a run date', () => {
  it.each([undefined, TODAY])('that is %s is today, and is not back-dated', async (runDate) => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, on(runDate));
    expect([manifest.run_date, isBackDated(manifest)]).toEqual([TODAY, false]);
    expect(await shown(root.path)).toEqual([[TODAY, `${TODAY}T23:59:59.999Z`, false]]);
  });

  it.each(['2026-11-22', '2026-11-24', '2062-11-23'])(
    'of another day, %s, is refused before anything is requested or written',
    async (runDate) => {
      await using api = await startFixtureApi({ sizes: [2] });
      await using root = await temporaryFolder();
      for (const fresh of [false, true])
        await expect(take(api, root.path, on(runDate, { fresh }))).rejects.toMatchObject(refusal);
      expect(api.requests).toEqual([]);
      expect(await filesBelow(root.path)).toEqual({});
    },
  );

  it('of another day is published when that was asked for, and everything that lists it shows it', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, on('2026-11-20', { backDated: true }));
    expect(isBackDated(manifest)).toBe(true);
    await take(api, root.path, on(TODAY));
    expect(await shown(root.path)).toEqual([
      ['2026-11-20', `${TODAY}T23:59:59.999Z`, true],
      [TODAY, `${TODAY}T23:59:59.999Z`, false],
    ]);
  });
});

describe('the unfinished run of yesterday', () => {
  const evening = clockAt('2026-11-22T23:00:00Z');
  const morning = clockAt('2026-11-23T01:00:00Z');

  it.each([
    ['by its date', '2026-11-22', '2026-11-22'],
    ['without a date, when it had none', undefined, undefined],
  ])('is resumed %s, and is evidence of the day on which it began', async (_, given, asked) => {
    await using api = await startFixtureApi({ sizes: [2, 3] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, on(given, { clock: evening }));
    const manifest = await take(api, root.path, on(asked, { clock: morning }));
    expect(manifest).toMatchObject({ run_date: '2026-11-22', status: 'complete' });
    expect(manifest.attempts).toHaveLength(2);
    expect(isBackDated(manifest)).toBe(false);
  });

  it.each<[string, (api: FixtureApi) => Partial<SnapshotOptions>]>([
    ['when it is to be discarded', () => ({ fresh: true })],
    ['when other settings make another run of it', (api) => ({ org: [uuidOf(api, 0)] })],
    ['when it is too old', () => ({ clock: clockAt('2026-11-23T23:30:00Z') })],
  ])('is no reason to file today under that date %s', async (_, optionsOf) => {
    await using api = await startFixtureApi({ sizes: [2, 3] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, on('2026-11-22', { clock: evening }));
    const asked = api.requests.length;
    const run = take(api, root.path, on('2026-11-22', { clock: morning, ...optionsOf(api) }));
    await expect(run).rejects.toMatchObject(refusal);
    expect(api.requests).toHaveLength(asked);
  });

  it('that was begun under another date stays back-dated when it is resumed', async () => {
    await using api = await startFixtureApi({ sizes: [2, 3] });
    await using root = await temporaryFolder();
    await interrupted(api, root.path, on('2026-11-23', { clock: evening, backDated: true }));
    const manifest = await take(api, root.path, on('2026-11-23', { clock: morning }));
    expect(manifest.attempts).toHaveLength(2);
    expect(isBackDated(manifest)).toBe(true);
  });
});
