import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { Json, StreamSchema } from '../../src/index.js';
import { jsonText } from '../../src/sinks/json-text.js';
import { expectedOf } from '../sinks/expected.js';
import { membersBy } from './duckdb.js';
import { type Example, exampleOn, readingExamples } from './examples.js';
import {
  type Answers,
  ask,
  missingFor,
  type ParsedRow,
  READERS,
  type Reader,
  type ReadRow,
  type Table,
} from './readers.js';
import {
  DATES,
  firstOrganization,
  MIXED,
  makeTrees,
  type Rows,
  SCHEMAS,
  SPOILED,
  TREE_NAMES,
} from './trees.js';

/**
 * The programs that people read their lakes with, on trees that `claude-compliance dump` and `compact` wrote: in one
 * layout, in the other, and in both.
 */

const [OLDEST, NEWEST] = DATES;
const examples = await readingExamples();

let api: FixtureApi;
let folder: string;
/** By day. */
let served: Record<string, Rows>;

beforeAll(async () => {
  api = await startFixtureApi({ sizes: [40, 0, AWKWARD_ROUND, 1, 25], awkward: true });
  folder = await mkdtemp(join(tmpdir(), 'readers-'));
  served = await makeTrees(folder, api);
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

/** The root that an example finds as `lake`. */
const rootOf = (tree: string): string => join(folder, tree, 'parquet');

const keyOf = (row: ReadRow): string => `${row.organization_uuid ?? ''} ${row.id ?? row.uuid}`;

/** What was served on a day, as a reader must find it in a format. */
function expectedRows(stream: string, format: string, runDate: string): Map<string, ReadRow> {
  const rows = served[runDate]?.[stream] ?? [];
  return new Map(
    rows.map((row) => {
      const cells = { ...expectedOf(row, SCHEMAS[stream] as StreamSchema, format), snapshot_date: runDate };
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

function expectServed(table: Table | undefined, { sees = {} }: Reader): void {
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

/** What an example must give: the README's ask for the newest day; the others for it, and for one organisation. */
const expectedOutput = ({ name }: Example): number[] =>
  name.startsWith('README.md')
    ? [members([NEWEST])]
    : [members([NEWEST]), members(DATES, 'the first organisation')];

/** By reader: the results of what the documentation warns of, where only one day was not compacted. */
const TRAPS: Record<string, (notCompacted: string) => Record<string, unknown>> = {
  pyarrow: (notCompacted) => ({
    'org_uuid as a key': members([notCompacted], 'the first organisation'),
    'org_uuid with the schema': expect.stringContaining('No match for FieldRef.Name(org_uuid)'),
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
      /Unknown expression .*`org_uuid`|'org_uuid' .* to have \d+ rows/,
    ),
  }),
  spark: (notCompacted) => ({
    plain: expect.stringContaining('CONFLICTING_PARTITION_COLUMN_NAMES'),
    'org_uuid as a key': expect.stringContaining('CONFLICTING_PARTITION_COLUMN_NAMES'),
    'a table by both keys': members([notCompacted]),
  }),
};

for (const reader of READERS) {
  const missing = missingFor(reader);
  if (missing !== undefined) process.stdout.write(`\nnot run: ${reader.name}: ${missing}\n`);

  describe.skipIf(missing !== undefined)(reader.name, () => {
    const own = examples.filter((example) => example.reader === reader.name);
    let answers: Answers;

    beforeAll(async () => {
      const codes = (tree: string) =>
        Object.fromEntries(own.map((example) => [example.name, exampleOn(example, rootOf(tree))]));
      const asked = {
        trees: Object.fromEntries(TREE_NAMES.map((tree) => [tree, join(folder, tree)])),
        dates: DATES,
        fields: Object.fromEntries(Object.entries(SCHEMAS).map(([name, { fields }]) => [name, fields])),
        organization: firstOrganization(api),
        examples: Object.fromEntries(TREE_NAMES.map((tree) => [tree, codes(tree)])),
        spoiled: join(folder, SPOILED),
      };
      answers = await ask(reader, asked, folder);
    });

    it.each(TREE_NAMES.flatMap((tree) => reader.formats.map((format) => [tree, format] as const)))(
      'finds every row of every day with every value that was served: %s, %s',
      (tree, format) => {
        for (const stream of Object.keys(SCHEMAS))
          for (const date of DATES) {
            const isMeant = (table: Table): boolean =>
              table.tree === tree &&
              table.format === format &&
              table.stream === stream &&
              table.run_date === date;
            expectServed(answers.tables.find(isMeant), reader);
          }
      },
    );

    it('asked for a day, opens no file of another', () => {
      const table = answers.tables.find(({ tree }) => tree === SPOILED);
      expectServed(table, reader);
    });

    it.each(own)('gives the same on every tree by $name', (example) => {
      const outputs = answers.examples.filter((output) => output.example === example.name);
      expect(outputs.map(({ tree }) => tree)).toEqual(TREE_NAMES);
      for (const { tree, printed } of outputs)
        expect(printed.trim().split('\n').map(Number), tree).toEqual(expectedOutput(example));
    });

    it.each(MIXED)('does what the documentation warns of: %s', (tree, notCompacted) => {
      const found = answers.traps.filter((trap) => trap.tree === tree);
      const results = Object.fromEntries(found.map(({ trap, result }) => [trap, result]));
      expect(results).toEqual(TRAPS[reader.name]?.(notCompacted));
    });
  });
}

describe('DuckDB', () => {
  const own = examples.filter(({ reader }) => reader === 'duckdb');
  const exampleWith = (text: string): Example => own.find(({ code }) => code.startsWith(text)) as Example;

  it.each(own)('gives the same on every tree by $name', async (example) => {
    for (const tree of TREE_NAMES) {
      const code = exampleOn(example, rootOf(tree));
      expect(await membersBy(code), tree).toEqual(expectedOutput(example));
    }
  });

  it('asked for a day, opens no file of another', async () => {
    const [view] = exampleOn(exampleWith('CREATE VIEW'), rootOf(SPOILED)).split(';\n');
    const ofDay = `SELECT count(*) AS members FROM users WHERE run_date = '${OLDEST}'`;
    expect(await membersBy(`${view};\n${ofDay}`)).toEqual([members([OLDEST])]);
  });

  it.each(MIXED)('does what the documentation warns of: %s', async (tree, notCompacted) => {
    const count = (pattern: string): string =>
      `SELECT count(*) AS members FROM read_parquet('${rootOf(tree)}/users/${pattern})`;
    expect(await membersBy(count("run_date=*/*/part-*.parquet'"))).toEqual([members([notCompacted])]);
    for (const key of [`run_date = '${NEWEST}'`, `org_uuid = '${firstOrganization(api)}'`]) {
      const plain = membersBy(`${count("**/*.parquet'")} WHERE ${key}`);
      await expect(plain).rejects.toThrow('not found in FROM clause');
      const byKeys = membersBy(`${count("**/*.parquet', hive_partitioning = true")} WHERE ${key}`);
      await expect(byKeys).rejects.toThrow('Hive partition mismatch');
    }
  });

  it('reads nothing by a manifest that is not complete', async () => {
    const byManifest = exampleOn(exampleWith('SET VARIABLE'), rootOf('per-org'));
    const scoped = byManifest.replace(`= 'complete'`, `= 'scoped'`);
    expect(scoped).not.toBe(byManifest);
    await expect(membersBy(scoped)).rejects.toThrow('NULL');
  });
});

it('shows examples for every reader', () => {
  const shown = new Set(examples.map(({ reader }) => reader));
  expect(shown).toEqual(new Set(['duckdb', ...READERS.map(({ name }) => name)]));
});
