import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { Json } from '../../src/index.js';
import { jsonText } from '../../src/sinks/json-text.js';
import { venv } from '../python/venv.js';
import { expectedOf } from '../sinks/expected.js';
import { type Example, exampleOn, readingExamples } from './examples.js';
import {
  DATES,
  FORMATS,
  firstOrganization,
  MIXED,
  makeSpoiled,
  makeTrees,
  type Rows,
  STREAMS,
  TREE_NAMES,
} from './trees.js';

/**
 * The programs that people read their lakes with, on whole trees that `claude-compliance dump` and `compact` wrote: in
 * the one layout, in the other, and in both.
 */

const run = promisify(execFile);
const [OLDEST, NEWEST] = DATES;

/** Pinned. The last two are what the warehouse's suite makes, too. */
const ENVIRONMENTS = {
  frames: ['pandas==3.1.1', 'pyarrow==26.0.1', 'polars==2.1.0', 'numpy==2.4.6'],
  clickhouse: ['chdb==4.4.0'],
  spark: ['pyspark==4.3.0'],
};

type ReadRow = Record<string, string | null>;
/** With `extra` parsed: each reader spells JSON in its own way. */
type ParsedRow = Record<string, unknown>;

interface Reader {
  name: string;
  environment: keyof typeof ENVIRONMENTS;
  /** What it reads. pyarrow takes no NDJSON whose `extra` differs from line to line, and Spark no Arrow. */
  formats: readonly string[];
  /** By format: what it makes of a row where it cannot tell two values apart. */
  sees?: Record<string, (row: ParsedRow) => ParsedRow>;
}

const READERS: readonly Reader[] = [
  { name: 'pyarrow', environment: 'frames', formats: ['parquet', 'arrow', 'csv'] },
  {
    name: 'pandas',
    environment: 'frames',
    formats: FORMATS,
    sees: { csv: nullsAsEmptyTexts, ndjson: zerosWithoutSign },
  },
  {
    name: 'polars',
    environment: 'frames',
    formats: FORMATS,
    sees: { ndjson: withoutExtra },
  },
  { name: 'chdb', environment: 'clickhouse', formats: FORMATS },
  { name: 'spark', environment: 'spark', formats: ['parquet', 'csv', 'ndjson'] },
];

function nullsAsEmptyTexts(row: ParsedRow): ParsedRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? '']));
}

/** Python's JSON reads -0 as the integer 0. */
function zerosWithoutSign(row: ParsedRow): ParsedRow {
  return { ...row, extra: JSON.parse(JSON.stringify(row.extra)) };
}

/** Polars turns an object into a text that is no JSON when a name in it has quotes. */
function withoutExtra(row: ParsedRow): ParsedRow {
  return { ...row, extra: null };
}

const environments = {
  frames: await venv('frames', ENVIRONMENTS.frames),
  clickhouse: await venv('clickhouse', ENVIRONMENTS.clickhouse),
  spark: await venv('spark', ENVIRONMENTS.spark),
};
const hasJava = await run('java', ['-version']).then(
  () => true,
  () => false,
);

/** Why a reader cannot be run here, if it cannot. */
function missingFor({ environment }: Reader): string | undefined {
  const made = environments[environment];
  if ('missing' in made) return made.missing;
  return environment === 'spark' && !hasJava ? 'Java is missing' : undefined;
}

const examples = await readingExamples();

let api: FixtureApi;
let folder: string;
let spoiled: string;
/** By day. */
let served: Record<string, Rows>;

beforeAll(async () => {
  api = await startFixtureApi({ sizes: [40, 0, AWKWARD_ROUND, 1, 25], awkward: true });
  folder = await mkdtemp(join(tmpdir(), 'readers-'));
  served = await makeTrees(folder, api);
  spoiled = await makeSpoiled(folder);
});

afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

/** How many users were served: on a day or on all, in all organisations or in the first. */
const members = (days: readonly string[], of?: 'the first organisation'): number =>
  days
    .flatMap((day) => served[day]?.users ?? [])
    .filter((row) => of === undefined || row.organization_uuid === firstOrganization(api)).length;

interface Answers {
  tables: { tree: string; format: string; stream: keyof typeof STREAMS; run_date: string; rows: ReadRow[] }[];
  examples: { tree: string; example: string; printed: string }[];
  traps: { tree: string; trap: string; result: number | string }[];
}

/** Lets a reader read all trees, in one process, and try its examples and its traps. */
async function ask(reader: Reader, own: readonly Example[]): Promise<Answers> {
  const made = environments[reader.environment];
  if ('missing' in made) throw new Error(made.missing);
  const byTree = <T>(make: (tree: string) => T): Record<string, T> =>
    Object.fromEntries(TREE_NAMES.map((tree) => [tree, make(join(folder, tree))]));
  const asked = {
    trees: byTree((tree) => tree),
    dates: DATES,
    organization: firstOrganization(api),
    examples: byTree((tree) =>
      Object.fromEntries(own.map((example) => [example.name, exampleOn(example, join(tree, 'parquet'))])),
    ),
    spoiled,
  };
  const script = join(import.meta.dirname, `read_${reader.name}.py`);
  const { stdout } = await run(made.python, [script, JSON.stringify(asked)], {
    cwd: folder,
    env: { ...process.env, SPARK_LOCAL_IP: '127.0.0.1', PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 512 * 1024 * 1024,
  });
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return {
    tables: answers.filter((answer) => 'rows' in answer),
    examples: answers.filter((answer) => 'example' in answer),
    traps: answers.filter((answer) => 'trap' in answer),
  };
}

const keyOf = (row: ReadRow): string => `${row.organization_uuid ?? ''} ${row.id ?? row.uuid}`;

/** What was served on a day, as a reader must find it in a format. */
function expectedRows(stream: keyof typeof STREAMS, format: string, runDate: string): Map<string, ReadRow> {
  const rows = served[runDate]?.[stream] ?? [];
  return new Map(
    rows.map((row) => {
      const cells = { ...expectedOf(row, STREAMS[stream], format), snapshot_date: runDate };
      const texts = Object.entries(cells).map(([name, value]) => [name, textOf(value)]);
      const read = Object.fromEntries(texts) as ReadRow;
      return [keyOf(read), read];
    }),
  );
}

const textOf = (value: unknown): string | null => {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? jsonText(value as Json) : String(value);
};

const parsed = ({ extra, ...row }: ReadRow): ParsedRow => ({
  ...row,
  extra: extra ? JSON.parse(extra) : extra,
});

function expectServed(table: Answers['tables'][number] | undefined, { sees = {} }: Reader): void {
  if (table === undefined) throw new Error('The table was not read.');
  const { stream, format, run_date: runDate, rows } = table;
  const expected = expectedRows(stream, format, runDate);
  const what = `${stream} of ${runDate}`;
  expect(rows.length, `${what}: rows`).toBe(expected.size);
  expect(new Set(rows.map(keyOf)), `${what}: keys`).toEqual(new Set(expected.keys()));
  const { [format]: seen = (row: ParsedRow) => row } = sees;
  for (const row of rows)
    expect(parsed(row), `${what}, ${keyOf(row)}`).toEqual(seen(parsed(expected.get(keyOf(row)) ?? {})));
}

/** What an example must print: the README's ask for the newest day; the others for it, and for one organisation. */
const expectedOutput = ({ name }: Example): number[] =>
  name.startsWith('README.md')
    ? [members([NEWEST])]
    : [members([NEWEST]), members(DATES, 'the first organisation')];

for (const reader of READERS) {
  const missing = missingFor(reader);
  if (missing !== undefined) process.stdout.write(`\nnot run: ${reader.name}: ${missing}\n`);

  describe.skipIf(missing !== undefined)(reader.name, () => {
    const own = examples.filter((example) => example.reader === reader.name);
    let answers: Answers;

    beforeAll(async () => {
      answers = await ask(reader, own);
    });

    it.each(TREE_NAMES.flatMap((tree) => reader.formats.map((format) => [tree, format])))(
      'finds every row of every day with every value that was served: %s, %s',
      (tree, format) => {
        for (const stream of ['organizations', 'users'])
          for (const date of DATES) {
            const table = answers.tables.find(
              (table) =>
                table.tree === tree &&
                table.format === format &&
                table.stream === stream &&
                table.run_date === date,
            );
            expectServed(table, reader);
          }
      },
    );

    it('asked for a day, opens no file of another', () => {
      expectServed(
        answers.tables.find(({ tree }) => tree === 'spoiled'),
        reader,
      );
    });

    it.each(own)('gives the same on every tree by $name', (example) => {
      const outputs = answers.examples.filter((output) => output.example === example.name);
      expect(outputs.map(({ tree }) => tree)).toEqual(TREE_NAMES);
      for (const { tree, printed } of outputs)
        expect([tree, ...printed.trim().split('\n').map(Number)]).toEqual([tree, ...expectedOutput(example)]);
    });

    it.each(MIXED)('does what the documentation warns of: %s', (tree) => {
      const found = answers.traps.filter((trap) => trap.tree === tree);
      const result = Object.fromEntries(found.map(({ trap, result }) => [trap, result]));
      expect(result).toEqual(TRAPS[reader.name]?.(tree === 'oldest-compacted' ? NEWEST : OLDEST));
    });
  });
}

/** By reader: what comes of the ways that are not to be taken, where only one day was not compacted. */
const TRAPS: Record<string, (notCompacted: string) => Record<string, unknown>> = {
  pyarrow: (notCompacted) => ({
    'org_uuid as a key': members([notCompacted], 'the first organisation'),
    'org_uuid beside the schema': expect.stringContaining('No match for FieldRef.Name(org_uuid)'),
  }),
  pandas: (notCompacted) => ({
    'org_uuid as a key': members([notCompacted], 'the first organisation'),
  }),
  polars: () => ({
    plain: expect.stringMatching(/^(SchemaFieldNotFound|Shape)Error/),
    'org_uuid as a key': expect.stringMatching(/^(SchemaFieldNotFound|Shape)Error/),
  }),
  chdb: () => ({
    'org_uuid as a key': expect.stringMatching(
      /Unknown expression or function identifier `org_uuid`|to have \d+ rows/,
    ),
  }),
  spark: (notCompacted) => ({
    plain: expect.stringContaining('CONFLICTING_PARTITION_COLUMN_NAMES'),
    'org_uuid as a key': expect.stringContaining('CONFLICTING_PARTITION_COLUMN_NAMES'),
    'a table by both keys': members([notCompacted]),
  }),
};

describe('DuckDB', () => {
  /** The sums of `members` that the statements of an example give. */
  async function sums(code: string): Promise<number[]> {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      const found: number[] = [];
      for (const statement of code.split(';\n').filter((statement) => statement.trim() !== '')) {
        const rows = (await connection.runAndReadAll(statement)).getRowObjects();
        if (rows.some((row) => 'members' in row))
          found.push(rows.reduce((sum, row) => sum + Number(row.members), 0));
      }
      return found;
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
  const rootOf = (tree: string): string => join(folder, tree, 'parquet');

  const own = examples.filter(({ reader }) => reader === 'duckdb');

  it.each(own)('gives the same on every tree by $name', async (example) => {
    for (const tree of TREE_NAMES)
      expect([tree, ...(await sums(exampleOn(example, rootOf(tree))))]).toEqual([
        tree,
        ...expectedOutput(example),
      ]);
  });

  it('asked for a day, opens no file of another', async () => {
    const [view] = own.filter(({ code }) => code.startsWith('CREATE VIEW'));
    const [create] = exampleOn(view as Example, join(spoiled, 'parquet')).split(';\n');
    const query = `SELECT count(*) AS members FROM users WHERE run_date = '${OLDEST}';\n`;
    expect(await sums(`${create};\n${query}`)).toEqual([members([OLDEST])]);
  });

  it.each(MIXED)('does what the documentation warns of: %s', async (tree) => {
    const users = `${rootOf(tree)}/users`;
    const count = 'SELECT count(*) AS members FROM';
    const notCompacted = tree === 'oldest-compacted' ? NEWEST : OLDEST;
    expect(await sums(`${count} read_parquet('${users}/run_date=*/*/part-*.parquet')`)).toEqual([
      members([notCompacted]),
    ]);
    for (const key of [`run_date = '${NEWEST}'`, `org_uuid = '${firstOrganization(api)}'`])
      for (const [option, refusal] of [
        ['', 'not found in FROM clause'],
        [', hive_partitioning = true', 'Hive partition mismatch'],
      ] as const)
        await expect(
          sums(`${count} read_parquet('${users}/**/*.parquet'${option}) WHERE ${key}`),
        ).rejects.toThrow(refusal);
  });

  it('reads nothing by a manifest that is not complete', async () => {
    const [byManifest] = own.filter(({ code }) => code.startsWith('SET VARIABLE'));
    const publishing = exampleOn(byManifest as Example, rootOf('per-org')).replace(
      `= 'complete'`,
      `= 'publishing'`,
    );
    await expect(sums(publishing)).rejects.toThrow();
  });
});

it('shows examples for every reader', () => {
  expect(new Set(examples.map(({ reader }) => reader))).toEqual(
    new Set(['duckdb', ...READERS.map(({ name }) => name)]),
  );
});
