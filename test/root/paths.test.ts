import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dateOf,
  isPartOf,
  logKey,
  manifestKey,
  newRunId,
  parseManifestKey,
  partName,
  publishedKey,
  runOfPart,
  seqOf,
} from '../../src/lake/paths.js';

const moment = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
const day = moment.map((ms) => new Date(ms).toISOString().slice(0, 10));
const extension = fc.constantFrom('ndjson', 'csv.gz', 'parquet', 'arrow');
const parent = fc.constantFrom('', 'org_uuid=0b3c/', 'org_uuid=a_-9/group_id=x/');

describe('a run id', () => {
  it('looks like 20261124T233611Z-e42560cf', () => {
    expect(newRunId(Date.UTC(2026, 10, 24, 23, 36, 11, 789))).toMatch(/^20261124T233611Z-[0-9a-f]{8}$/);
  });

  it('sorts by time, and holds when the run began to the second', () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [first, second] = [newRunId(a), newRunId(b)];
        expect(first.slice(0, 16)).toBe(`${new Date(a).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`);
        if (a - (a % 1000) < b - (b % 1000)) expect(first < second).toBe(true);
      }),
    );
  });
});

it('a part has a name with the run that published it, from which both are read again', () => {
  fc.assert(
    fc.property(moment, day, parent, fc.nat(200_000), extension, (now, runDate, folder, index, ending) => {
      const run = newRunId(now);
      const staged = `users/run_date=${runDate}/${folder}${partName(index, ending)}`;
      const key = publishedKey(staged, run);
      expect(key).toBe(staged.replace(/(part-\d{5,})/, `$1-${run}`));
      expect([runOfPart(key), runOfPart(staged)]).toEqual([run, undefined]);
      expect([dateOf(key), isPartOf('users', runDate, key)]).toEqual([runDate, true]);
      expect(isPartOf('roles', runDate, key)).toBe(false);
    }),
  );
});

it.each([
  'users/run_date=2026-11-23/../secret/part-00000-20261124T233611Z-e42560cf.csv',
  'users/run_date=2026-11-23/org_uuid=*/part-00000-20261124T233611Z-e42560cf.csv',
  "users/run_date=2026-11-23/org_uuid=a'/part-00000-20261124T233611Z-e42560cf.csv",
  'users/run_date=2026-11-24/part-00000-20261124T233611Z-e42560cf.csv',
  'users/run_date=2026-11-23/part-00000.csv',
])('%s is no part of the users of 2026-11-23', (key) => {
  expect(isPartOf('users', '2026-11-23', key)).toBe(false);
});

it('a manifest is named by its run date and run, and nothing else is read as one', () => {
  const run = newRunId(0);
  expect(parseManifestKey(manifestKey('2026-11-23', run))).toEqual({ runDate: '2026-11-23', runId: run });
  for (const name of ['manifest.json', `${run}.json.old`, `x${run}.json`, `old/${run}.json`, `${run}.txt`])
    expect(parseManifestKey(`_runs/run_date=2026-11-23/${name}`)).toBeUndefined();
});

it('a log entry is named by its number, and nothing else is read as one', () => {
  for (const seq of [1, 42, 99_999_999, 100_000_000]) expect(seqOf(logKey(seq))).toBe(seq);
  for (const name of ['1.json', '00000001.json.old', 'x00000001.json', 'old/00000001.json', '000000001.json'])
    expect([name, seqOf(`_runs/log/${name}`)]).toEqual([name, undefined]);
});
