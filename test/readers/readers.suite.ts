import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { StreamSchema } from '../../src/index.js';
import { expectedOf } from '../sinks/expected.js';
import type { Answers, Table } from './answers.js';
import { membersBy } from './duckdb.js';
import { type Example, exampleOn, readingExamples, TEXTS } from './examples.js';
import { expectServed } from './expected.js';
import { READERS } from './readers.js';
import { TRAPS } from './traps.js';
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
 * The programs that people read their lakes with, on trees that `claude-compliance-connector dump` and `compact` wrote: in one
 * layout, in the other, and in both.
 */

const run = promisify(execFile);
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
const rootOf = (tree: string, format = 'parquet'): string => join(folder, tree, format);

/** How many users of the newest day are so. */
const newest = (is: (cells: Record<string, unknown>) => boolean, format: string): number =>
  (served[NEWEST]?.users ?? []).filter((row) => is(expectedOf(row, SCHEMAS.users as StreamSchema, format)))
    .length;

/** What an example must give: those of docs/reading.md ask for the newest day, and for one organisation; the others for that day. */
function expectedOutput({ name, format }: Example): number[] {
  const ofDay = members([NEWEST]);
  if (name.startsWith('docs/reading.md')) return [ofDay, members(DATES, 'the first organisation')];
  if (!name.startsWith(TEXTS)) return [ofDay];
  const counts =
    format === 'csv'
      ? [
          newest((cells) => cells.full_name === null, format),
          newest((cells) => cells.full_name === '', format),
        ]
      : [newest(({ extra }) => Object.hasOwn((extra ?? {}) as object, 'unknown_null'), format)];
  expect(Math.min(...counts)).toBeGreaterThan(0);
  return [ofDay, ...counts];
}

for (const reader of READERS) {
  const { missing } = reader;
  if (missing !== undefined) process.stdout.write(`\nnot run: ${reader.name}: ${missing}\n`);

  describe.skipIf(missing !== undefined)(reader.name, () => {
    const own = examples.filter((example) => example.reader === reader.name);
    let answers: Answers;

    beforeAll(async () => {
      const codes = (tree: string) =>
        Object.fromEntries(
          own.map((example) => [example.name, exampleOn(example, rootOf(tree, example.format))]),
        );
      const asked = {
        trees: Object.fromEntries(TREE_NAMES.map((tree) => [tree, join(folder, tree)])),
        dates: DATES,
        fields: Object.fromEntries(Object.entries(SCHEMAS).map(([name, { fields }]) => [name, fields])),
        organization: firstOrganization(api),
        examples: Object.fromEntries(TREE_NAMES.map((tree) => [tree, codes(tree)])),
        spoiled: join(folder, SPOILED),
      };
      answers = await reader.ask(asked, folder);
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
            expectServed(answers.tables.find(isMeant), reader, served);
          }
      },
    );

    it('asked for a day, opens no file of another', () => {
      const table = answers.tables.find(({ tree }) => tree === SPOILED);
      expectServed(table, reader, served);
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
      expect(results).toEqual(TRAPS[reader.name]?.((of) => members([notCompacted], of)));
    });
  });
}

describe('the examples for DuckDB', () => {
  const exampleWith = (text: string): Example =>
    examples.find(({ reader, code }) => reader === 'duckdb' && code.startsWith(text)) as Example;

  it('open no file of another day than the one asked for', async () => {
    const [view] = exampleOn(exampleWith('CREATE VIEW'), rootOf(SPOILED)).split(';\n');
    const ofDay = `SELECT count(*) AS members FROM users WHERE run_date = '${OLDEST}'`;
    expect(await membersBy(`${view};\n${ofDay}`)).toEqual([members([OLDEST])]);
  });

  it('read nothing by a manifest that is not complete', async () => {
    const byManifest = exampleOn(exampleWith('SET VARIABLE'), rootOf('per-org'));
    const scoped = byManifest.replace(`= 'complete'`, `= 'scoped'`);
    expect(scoped).not.toBe(byManifest);
    await expect(membersBy(scoped)).rejects.toThrow('NULL');
  });
});

it('the example for Node finds null and the empty text in a file of a day', async () => {
  const example = examples.find(({ reader }) => reader === 'node') as Example;
  // Where the package that it imports is found.
  const home = await mkdtemp(join(import.meta.dirname, '../../.cache/', 'node-'));
  try {
    await writeFile(join(home, 'example.mjs'), example.code);
    const day = join(rootOf('per-date', 'csv'), `users/run_date=${NEWEST}`);
    const [file = ''] = await readdir(day);
    const { stdout } = await run(process.execPath, [join(home, 'example.mjs'), join(day, file)]);
    expect(stdout.trim().split('\n').map(Number)).toEqual(expectedOutput(example));
  } finally {
    await rm(home, { recursive: true });
  }
});

it('shows examples for every reader', () => {
  const shown = new Set(examples.map(({ reader }) => reader).filter((reader) => reader !== 'node'));
  expect(shown).toEqual(new Set(READERS.map(({ name }) => name)));
});
