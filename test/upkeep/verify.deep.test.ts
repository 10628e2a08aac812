import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import {
  compact,
  createSink,
  LocalStorage,
  type Manifest,
  readManifest,
  type VerifyRequest,
  verify,
} from '../../src/index.js';
import { dataBelow, pathsOf, RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';
import { forgeManifest } from './support/tamper.js';

const FORMATS = [
  ['ndjson', 'none'],
  ['ndjson', 'gzip'],
  ['csv', 'none'],
  ['csv', 'gzip'],
  ['parquet', 'zstd'],
  ['parquet', 'snappy'],
  ['arrow', 'none'],
] as const;

const findings = async (root: string, request: Partial<VerifyRequest> = {}) =>
  (await verify({ storage: new LocalStorage(root), ...request })).findings;

describe('verify', () => {
  it.each(FORMATS)('finds nothing wrong with what was published as %s (%s)', async (format, compression) => {
    await using api = await startFixtureApi({ sizes: [0, 1, 120], awkward: true });
    await using root = await temporaryFolder();
    const settings = {
      sink: createSink(format, { compression }),
      streams: ['organizations', 'users', 'roles'],
    };
    await take(api, root.path, { ...settings, runDate: '2026-11-22' });
    const { tables, run_id: runId } = await take(api, root.path, settings);
    const result = await verify({ storage: new LocalStorage(root.path), all: true });
    expect(result).toMatchObject({ findings: [], head: { entries: 2 } });
    const rows = 3 + 121 + (tables.roles?.rows ?? 0);
    expect(result.runDates.map((date) => [date.runDate, date.rows])).toEqual([
      ['2026-11-23', rows],
      ['2026-11-22', rows],
    ]);
    const [first] = result.runDates;
    expect(first).toMatchObject({ runId, status: 'complete', files: 1 + 2 + 3 });
  });

  it.each(FORMATS)('finds a byte of a %s file (%s) that was changed', async (format, compression) => {
    await using api = await startFixtureApi({ sizes: [30] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { sink: createSink(format, { compression }) });
    const [part] = pathsOf(manifest, 'users');
    const path = join(root.path, part ?? '');
    const bytes = await readFile(path);
    bytes[Math.floor(bytes.length / 2)] = 0x41;
    await writeFile(path, bytes);
    const problems = (await findings(root.path)).map((finding) => [finding.path, finding.problem]);
    expect(problems).toContainEqual([part, 'sha256']);
    expect(problems).not.toContainEqual([part, 'size']);
  });

  it('reads the files of the newest run date, of the one that is given, or of all', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const dates = ['2026-11-21', '2026-11-22', '2026-11-23'];
    for (const runDate of dates) await take(api, root.path, { runDate });
    const verified = async (request: Partial<VerifyRequest>) => {
      const { runDates } = await verify({ storage: new LocalStorage(root.path), ...request });
      return runDates.map(({ runDate }) => runDate);
    };
    expect(await verified({})).toEqual(['2026-11-23']);
    expect(await verified({ runDate: '2026-11-21' })).toEqual(['2026-11-21']);
    expect(await verified({ all: true })).toEqual([...dates].reverse());
  });

  it('says so where there is no snapshot', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const missing = { code: 'snapshot_missing', exitCode: 2 };
    await expect(findings(root.path)).rejects.toMatchObject(missing);
    await take(api, root.path);
    await expect(findings(root.path, { runDate: '2026-11-01' })).rejects.toMatchObject(missing);
  });

  it('finds nothing wrong with a day that has no file because it has no row', async () => {
    await using api = await startFixtureApi({ sizes: [] });
    await using root = await temporaryFolder();
    for (const runDate of ['2026-11-22', RUN_DATE])
      await take(api, root.path, { runDate, streams: ['roles'], allowEmpty: true });
    expect(Object.keys(await dataBelow(root.path))).toEqual([]);
    expect(await findings(root.path)).toEqual([]);
  });

  it('reads a day again that is compacted while it is read', async () => {
    await using api = await startFixtureApi({ sizes: [30, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    let reads = 0;
    class Moving extends LocalStorage {
      override async *read(key: string): AsyncGenerator<Uint8Array> {
        if (key.startsWith('users/') && reads++ === 1)
          await compact({ storage: new LocalStorage(root.path), runDate: RUN_DATE });
        yield* super.read(key);
      }
    }
    expect(await verify({ storage: new Moving(root.path) })).toMatchObject({
      findings: [],
      runDates: [{ status: 'complete', files: 2 }],
    });
    expect(reads).toBe(3); // two files at the first attempt, one at the second
  });

  it('takes no offence at another day that is published while it lists the root', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    class Busy extends LocalStorage {
      override async *list(folder: string) {
        if (folder === '_runs') await take(api, root.path, { runDate: '2026-11-24' });
        yield* super.list(folder);
      }
    }
    expect((await verify({ storage: new Busy(root.path) })).findings).toEqual([]);
  });
});

describe('of one run date, verify reports', () => {
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  let copies = 0;
  beforeAll(async () => {
    root = await temporaryFolder();
    await using api = await startFixtureApi({ sizes: [30] });
    await take(api, join(root.path, 'root'));
  });
  afterAll(() => root[Symbol.asyncDispose]());

  /** A root of its own for each test, the path of its file of users, and its manifest. */
  async function copy() {
    const path = join(root.path, `copy-${++copies}`);
    await cp(join(root.path, 'root'), path, { recursive: true });
    const manifest = (await readManifest(new LocalStorage(path), RUN_DATE)) as Manifest;
    return { path, part: pathsOf(manifest, 'users')[0] ?? '', run: manifest.run_id };
  }

  type Place = Awaited<ReturnType<typeof copy>>;
  type Case = [string, (place: Place) => Promise<unknown>, (place: Place) => [string, string][]];
  const manifestOf = ({ run }: Place): string => `_runs/run_date=${RUN_DATE}/${run}.json`;
  const cases: Case[] = [
    ['a file that is missing', ({ path, part }) => rm(join(path, part)), ({ part }) => [['missing', part]]],
    [
      'a file with more rows',
      ({ path, part }) => appendFile(join(path, part), '{}\n'),
      ({ part }) => [
        ['size', part],
        ['rows', part],
      ],
    ],
    [
      'a file with other columns',
      async ({ path, part }) =>
        writeFile(join(path, part), (await readFile(join(path, part), 'utf8')).replaceAll('"id"', '"ID"')),
      ({ part }) => [
        ['sha256', part],
        ['schema', part],
      ],
    ],
    [
      'a file that was cut',
      async ({ path, part }) =>
        writeFile(join(path, part), (await readFile(join(path, part))).subarray(0, -9)),
      ({ part }) => [
        ['size', part],
        ['unreadable', part],
      ],
    ],
    [
      'a file that no run has written',
      ({ path, part }) => writeFile(`${join(path, part)}.copy`, '', { mode: 0o600 }),
      ({ part }) => [['unreferenced', `${part}.copy`]],
    ],
    [
      'a copy of the manifest that is missing',
      ({ path }) => rm(join(path, `_runs/run_date=${RUN_DATE}/manifest.json`)),
      () => [['copy', `_runs/run_date=${RUN_DATE}/manifest.json`]],
    ],
    [
      'a copy of the manifest that was changed',
      ({ path }) => appendFile(join(path, `_runs/run_date=${RUN_DATE}/manifest.json`), ' '),
      () => [['copy', `_runs/run_date=${RUN_DATE}/manifest.json`]],
    ],
    [
      'totals that its entries do not come to',
      ({ path }) => forgeManifest(path, ({ totals }) => Object.assign(totals, { rows: 7, gone: 1 })),
      (place) => [
        ['totals', manifestOf(place)],
        ['totals', manifestOf(place)],
      ],
    ],
    [
      'rows that its files do not hold',
      ({ path }) =>
        forgeManifest(path, ({ tables }) => Object.assign(tables.users?.slices[0] ?? {}, { rows: 29 })),
      (place) => [
        ['totals', manifestOf(place)],
        ['totals', manifestOf(place)],
      ],
    ],
  ];
  it.each(cases)('%s', async (_, damage, expected) => {
    const place = await copy();
    await damage(place);
    const found = (await findings(place.path)).map(({ problem, path }) => [problem, path]);
    expect(found).toEqual(expected(place));
  });

  it('a file of another run, and which run that is', async () => {
    const { path, part, run } = await copy();
    const other = '20261123T010203Z-1f08da1e';
    const extra = part.replace(run, other);
    await cp(join(path, part), join(path, extra));
    expect(await findings(path)).toEqual([
      {
        runDate: RUN_DATE,
        path: extra,
        problem: 'unreferenced',
        detail: `the current manifest does not name it: it belongs to run ${other}`,
      },
    ]);
  });
});
