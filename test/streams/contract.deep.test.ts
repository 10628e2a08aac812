import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { Finding, Manifest, Stream } from '../../src/index.js';
import { streams } from '../../src/streams/index.js';
import { roles } from '../../src/streams/roles.js';
import { ancestorsOf } from '../../src/streams/stream.js';
import { expectedOf } from '../sinks/expected.js';
import type { ReadRow } from '../sinks/readers.js';
import { badges } from './made-up/badges.js';
import { grants } from './made-up/grants.js';
import { type Build, buildWith } from './support/build-with.js';
import { type Commands, commandsOf, kill } from './support/commands.js';
import { expectedRows, inOrder, type ServedList, servedLists } from './support/expected.js';
import { madeUpLists } from './support/made-up-lists.js';
import { filesOf, manifestOf, parquetRowsOf, queriedRows, rowsOf, typedRow } from './support/stored.js';

// One file, because all of it shares one build and one server.

/** Every stream of the registry, and two that are added to a copy of it: a list an organisation, and a list a role. */
const STREAMS: readonly Stream[] = [...streams, badges, grants];
const NAMES = STREAMS.map(({ name }) => name);
/** In the order in which a run reads them. */
const WITH_PARENT = STREAMS.filter(({ parent }) => parent).sort(
  (a, b) => ancestorsOf(a).length - ancestorsOf(b).length,
);

const [OLDER, NEWER] = ['2026-11-22', '2026-11-23'];
const PAGE_SIZE = 2;

vi.setConfig({ hookTimeout: 120_000 });

let build: Build;
let api: FixtureApi;
let commands: Commands;
let folder: string;
/** By stream, as they were when the older day was dumped. */
let served: Map<Stream, ServedList[]>;
/** The list of each stream whose reading was interrupted. */
const interrupted = new Map<Stream, string>();
/** By path, the pages that were requested until the older day was published. */
let requestedBefore: Map<string, (number | undefined)[]>;

const at = (...path: string[]): string => join(folder, ...path);
/** The pages of a list; an answer that is one object has no others. */
const pagesOf = ({ list }: Stream, records: number): number =>
  list === undefined ? Math.max(1, Math.ceil(records / PAGE_SIZE)) : 1;
const dumpFlags = (runDate: string): string[] => [
  ...['dump', '--out', at('root'), '--state', at('state'), '--format', 'ndjson', 'parquet'],
  ...['--streams', ...NAMES, '--run-date', runDate, '--page-size', `${PAGE_SIZE}`, '--progress', 'none'],
  ...['--requests-per-minute', '0'],
];
const listsOf = (stream: Stream): ServedList[] => served.get(stream) ?? [];
const expected = (stream: Stream, runDate = OLDER) =>
  inOrder(stream, expectedRows(stream, listsOf(stream), runDate));
const expectedTyped = (stream: Stream) =>
  expected(stream).map((row) => expectedOf(row, stream.schema, 'parquet'));
const parquet = async (stream: Stream, runDate: string) =>
  inOrder(stream, await parquetRowsOf(at('root/parquet'), stream, runDate));
const succeed = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await commands.run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contract-'));
  build = await buildWith([badges.name, grants.name]);
  api = await startFixtureApi({ sizes: [5, 0, 12], lists: madeUpLists });
  commands = await commandsOf(build, api);
  served = new Map(STREAMS.map((stream) => [stream, servedLists(api, stream)]));
  // The server stops answering in the middle of each stream in turn; the process that waits for it is killed.
  for (const stream of WITH_PARENT) {
    const { path } = listsOf(stream)
      .filter(({ records }) => records.length > PAGE_SIZE)
      .at(-1) as ServedList;
    const page = pagesOf(stream, PAGE_SIZE + 1) - 1;
    interrupted.set(stream, path);
    api.fault({ match: { path, page, times: 1 }, do: { type: 'hang' } });
    const process = commands.start(...dumpFlags(OLDER), '--concurrency', '1');
    await vi.waitUntil(() => api.requests.some((one) => one.path === path && one.page === page), 60_000);
    await kill(process);
  }
  await succeed(...dumpFlags(OLDER));
  requestedBefore = new Map();
  for (const { path, page } of api.requests)
    requestedBefore.set(path, [...(requestedBefore.get(path) ?? []), page]);
});
afterAll(async () => {
  await api?.close();
  await build?.remove();
  await rm(folder, { recursive: true });
});

it('adds a stream by one file and one line', () => {
  expect(build.library.streams.map(({ name }) => name)).toEqual(NAMES);
});

describe.each(STREAMS)('the stream $name', (stream) => {
  it('is dumped as it was served', async () => {
    expect(inOrder(stream, await rowsOf(at('root/ndjson'), stream, OLDER))).toEqual(expected(stream));
    expect(await parquet(stream, OLDER)).toEqual(expectedTyped(stream));
    expect(expected(stream).length).toBeGreaterThan(2);
  });

  it('has one entry in the manifest for each list that was read', async () => {
    const { tables } = await manifestOf(at('root/ndjson'), OLDER);
    const slices = tables[stream.name]?.slices ?? [];
    const lists = listsOf(stream).map(({ parent, path: endpoint, records }) => {
      return { parent, endpoint, rows: records.length, verdict: 'complete' };
    });
    expect(slices).toMatchObject(lists);
  });

  if (stream.parent)
    it('was resumed in its middle: only the list that was interrupted was requested again', () => {
      const shared = STREAMS.filter(({ through }) => through).flatMap(listsOf);
      for (const { path, records } of listsOf(stream).filter(
        (list) => !shared.some((one) => one.path === list.path),
      )) {
        const pages = [...Array(pagesOf(stream, records.length)).keys()];
        const before = [...Array(pagesOf(stream, PAGE_SIZE + 1)).keys()];
        expect(requestedBefore.get(path), path).toEqual(
          path === interrupted.get(stream) ? [...before, ...pages] : pages,
        );
      }
    });

  it('is previewed: its first rows, with every column', async () => {
    const rows = expectedRows(stream, listsOf(stream), OLDER).slice(0, 3);
    const [header, ...cells] = tableOf(await succeed('preview', stream.name, '--rows', '3'));
    const columns = stream.schema.fields.map(({ name }) => name);
    expect(header).toEqual(columns);
    const keys = stream.schema.primaryKey.map((name) => columns.indexOf(name));
    expect(cells.map((row) => keys.map((i) => row[i]))).toEqual(
      rows.map((row) => stream.schema.primaryKey.map((name) => String(row[name] ?? ''))),
    );
  });

  it('has a JSON Schema that its rows fit, and DDL for a table that takes them', async () => {
    const schema = JSON.parse(await succeed('schema', stream.name, '--as', 'json-schema'));
    const fits = new Ajv2020({ validateFormats: false, allowUnionTypes: true }).compile(schema);
    expect(expected(stream).filter((row) => !fits(row))).toEqual([]);
    const arrow = await succeed('schema', stream.name, '--as', 'arrow');
    expect(
      arrow
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0]),
    ).toEqual(Object.keys(schema.properties));
    const ddl = await succeed('schema', stream.name, '--as', 'ddl');
    const files = (await filesOf(at('root/parquet'), stream, OLDER)).map(
      (path) => `'${at('root/parquet', path)}'`,
    );
    const fill = `INSERT INTO ${stream.name} SELECT * FROM read_parquet([${files}], hive_partitioning = false)`;
    expect(inOrder(stream, await queriedRows(stream, stream.name, { prepare: [ddl, fill] }))).toEqual(
      expectedTyped(stream),
    );
  });

  it('is written to stdout', async () => {
    const flags = ['--out', '-', '--streams', stream.name, '--format', 'ndjson', '--run-date', OLDER];
    const lines = (await succeed('dump', ...flags, '--progress', 'none')).trimEnd().split('\n');
    expect(
      inOrder(
        stream,
        lines.map((line) => JSON.parse(line)),
      ),
    ).toEqual(expected(stream));
  });

  it('is checked', async () => {
    const lines = (await succeed('check', '--streams', stream.name)).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(`^${stream.name}: ok`));
  });

  it('is verified: a damaged file and a missing one are reported', async () => {
    expect(await findings(at('root/ndjson'))).toEqual([]);
    const copy = at(`damaged-${stream.name}`);
    await cp(at('root/ndjson'), copy, { recursive: true });
    const [damaged = '', ...others] = await filesOf(copy, stream, OLDER);
    await writeFile(join(copy, damaged), (await readFile(join(copy, damaged), 'utf8')).replace('"', "'"));
    if (others[0] !== undefined) await rm(join(copy, others[0]));
    const found = await findings(copy);
    expect(found).toContainEqual(expect.objectContaining({ path: damaged, problem: 'sha256' }));
    if (others[0] !== undefined)
      expect(found).toContainEqual(expect.objectContaining({ path: others[0], problem: 'missing' }));
    expect(new Set(found.map(({ path }) => path))).toEqual(new Set([damaged, ...others.slice(0, 1)]));
  });
});

describe('a warehouse', () => {
  beforeAll(async () => {
    await succeed(
      'load',
      'duckdb',
      '--from',
      at('root/parquet'),
      '--database',
      at('lake.duckdb'),
      '--progress',
      'none',
    );
  });

  it.each(STREAMS)('holds the rows of $name', async (stream) => {
    for (const table of [`${stream.name}_snapshot`, `${stream.name}_current`]) {
      const rows = await queriedRows(stream, table, { database: at('lake.duckdb') });
      expect(inOrder(stream, rows), table).toEqual(expectedTyped(stream));
    }
  });
});

describe('an Airbyte connection', () => {
  let catalog: { stream: { name: string; source_defined_primary_key: string[][] } }[];
  let records: { stream: string; data: ReadRow }[];
  beforeAll(async () => {
    await writeFile(
      at('config.json'),
      JSON.stringify({ api_key: api.key, base_url: api.url, requests_per_minute: 0 }),
    );
    const [discovered] = await commands.airbyte('discover', '--config', at('config.json'));
    const { streams: found } = (discovered as { catalog: { streams: (typeof catalog)[number]['stream'][] } })
      .catalog;
    catalog = found.map((stream) => ({
      stream,
      sync_mode: 'full_refresh',
      destination_sync_mode: 'overwrite',
    }));
    await writeFile(at('catalog.json'), JSON.stringify({ streams: catalog }));
    const messages = await commands.airbyte(
      'read',
      '--config',
      at('config.json'),
      '--catalog',
      at('catalog.json'),
    );
    records = messages.flatMap((message) =>
      message.type === 'RECORD' ? [message.record as (typeof records)[number]] : [],
    );
  });

  it.each(STREAMS)('discovers and reads $name', (stream) => {
    const { source_defined_primary_key: key } =
      catalog.find((one) => one.stream.name === stream.name)?.stream ?? {};
    expect(key).toEqual(airbyteKey(stream).map((name) => [name]));
    const rows = records
      .filter((record) => record.stream === stream.name)
      .map(({ data }) => typedRow(stream, data));
    const snapshot_date = rows[0]?.snapshot_date;
    expect(inOrder(stream, rows)).toEqual(expectedTyped(stream).map((row) => ({ ...row, snapshot_date })));
  });
});

describe('a day that is compacted', () => {
  beforeAll(async () => {
    for (const format of ['ndjson', 'parquet'])
      await succeed('compact', '--out', at('root', format), '--state', at('state'), '--run-date', OLDER);
  });

  it.each(STREAMS)('holds the rows of $name in one file', async (stream) => {
    expect(await filesOf(at('root/ndjson'), stream, OLDER)).toHaveLength(1);
    expect(inOrder(stream, await rowsOf(at('root/ndjson'), stream, OLDER))).toEqual(expected(stream));
    expect(await parquet(stream, OLDER)).toEqual(expectedTyped(stream));
  });

  it('is sound', async () => {
    expect(await findings(at('root/ndjson'))).toEqual([]);
    expect(await findings(at('root/parquet'))).toEqual([]);
  });
});

describe('a day that is pruned', () => {
  beforeAll(async () => {
    const path = listsOf(roles)[0]?.path as string;
    api.fault({ match: { path, times: 1 }, do: { type: 'delay', ms: 200 } });
    await succeed(...dumpFlags(NEWER));
    await succeed('prune', '--out', at('root/ndjson'), '--keep-days', '1');
  });

  it.each(STREAMS)('has no file of $name; the newest day keeps its own', async ({ name }) => {
    expect(await readdir(at('root/ndjson', name))).toEqual([`run_date=${NEWER}`]);
  });

  it.each(STREAMS)(
    'is followed by one with the lists of $name as served, whichever was read first',
    async (stream) => {
      const { tables } = await manifestOf(at('root/ndjson'), NEWER);
      const parents = tables[stream.name]?.slices.map(({ parent }) => parent);
      expect(parents).toEqual(listsOf(stream).map(({ parent }) => parent));
    },
  );

  it('is sound', async () => {
    expect(await findings(at('root/ndjson'))).toEqual([]);
  });
});

describe('a list of parents that cannot be read', () => {
  const dumpOf = (streams: string[]) => [
    'dump',
    '--out',
    at(streams.join('-')),
    '--streams',
    ...streams,
    '--on-org-failure',
    'continue',
  ];
  const refuse = () =>
    api.fault({
      match: { path: listsOf(roles)[0]?.path as string, times: 1 },
      do: { type: 'answer', status: 500, headers: { 'x-should-retry': 'false' } },
    });

  it('makes the tables below it incomplete', async () => {
    refuse();
    const dumped = await commands.run(...dumpOf([roles.name, grants.name]), '--json', '--progress', 'none');
    const { manifest } = JSON.parse(dumped.stdout) as { manifest: Manifest };
    expect({ code: dumped.code, status: manifest.status }).toEqual({ code: 1, status: 'incomplete' });
    expect(manifest.tables[grants.name]?.slices.every(({ verdict }) => verdict === 'complete')).toBe(true);
    const { isComplete } = build.library;
    expect([isComplete(manifest, roles.name), isComplete(manifest, grants.name)]).toEqual([false, false]);
  });

  it('is fatal where its own table was not asked for: nothing would show what is missing', async () => {
    refuse();
    const { code, stderr } = await commands.run(...dumpOf([grants.name]), '--progress', 'none');
    expect({ code, stderr }).toMatchObject({ code: 75, stderr: expect.stringContaining('[server_error]') });
    expect(await readdir(at(grants.name))).toEqual(['_runs', '_staging']);
  });
});

// The last first: the others are as they were, and a refusal names the first that shrank.
describe.each(STREAMS.filter(({ isGuarded }) => isGuarded).reverse())(
  'the guarded stream $name',
  (stream) => {
    it('is not published when most of it is missing', async () => {
      // All but one record of each list.
      for (const { parent, records } of listsOf(stream))
        for (const _ of records.slice(1)) api.list(stream.name, ...Object.values(parent)).remove(1);
      const { code, stderr } = await commands.run(...dumpFlags(NEWER), '--fresh');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(`there are \\d+ ${stream.name} where \\d+ were.*\\[shrink_refused\\]`),
      );
    });
  },
);

/** The key of a stream in Airbyte, where no column of a key may be null. */
function airbyteKey({ schema, fields, key }: Stream): readonly string[] {
  const isOptional = fields.some(({ name, nullable }) => nullable && key.includes(name));
  return isOptional
    ? [...schema.primaryKey.filter((name) => !key.includes(name)), 'record_key']
    : schema.primaryKey;
}

/** What a table on a terminal holds. */
const tableOf = (printed: string): string[][] =>
  printed
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

/** What `verify` finds in a root, of every day. */
async function findings(root: string): Promise<Finding[]> {
  const { stdout } = await commands.run('verify', '--out', root, '--all', '--json');
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}
