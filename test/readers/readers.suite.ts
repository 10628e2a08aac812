import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  organizationsSchema,
  parseOrganization,
  parseUser,
  type Row,
  rowMaker,
  type StreamSchema,
  usersSchema,
} from '../../src/index.js';
import type { Json } from '../../src/records.js';
import { jsonText } from '../../src/sinks/json-text.js';
import { environmentOf, run as runCommand } from '../cli/command.js';
import { venv } from '../python/venv.js';
import { expectedOf } from '../sinks/expected.js';

/** The programs that people read their lakes with, on the whole tree that `claude-compliance dump` writes. */

const run = promisify(execFile);
const RUN_DATE = '2026-11-23';
const FORMATS = ['parquet', 'arrow', 'csv', 'ndjson'];
const STREAMS = { organizations: organizationsSchema, users: usersSchema };

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
  { name: 'polars', environment: 'frames', formats: FORMATS, sees: { ndjson: withoutExtra } },
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

let api: FixtureApi;
let folder: string;
let tree: string;

beforeAll(async () => {
  api = await startFixtureApi({ organizations: 8, users: 900, awkward: true });
  folder = await mkdtemp(join(tmpdir(), 'readers-'));
  tree = join(folder, 'tree');
  for (const date of ['2026-11-22', RUN_DATE]) {
    const flags = ['--out', tree, '--format', ...FORMATS, '--run-date', date, '--progress', 'none'];
    const { code, stderr } = await runCommand(['dump', ...flags], { env: environmentOf(api) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
});

afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

/** Runs a reader's Python in the folder of the tree. @returns what it printed */
async function python({ environment }: Reader, args: readonly string[]): Promise<string> {
  const made = environments[environment];
  if ('missing' in made) throw new Error(made.missing);
  const { stdout } = await run(made.python, [...args], {
    cwd: folder,
    env: { ...process.env, SPARK_LOCAL_IP: '127.0.0.1', PYTHONDONTWRITEBYTECODE: '1' },
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout;
}

const keyOf = (row: ReadRow): string => `${row.organization_uuid ?? ''} ${row.id ?? row.uuid}`;

/** What the fixture served, as a reader must find it in a format. */
function served(schema: StreamSchema, format: string): Map<string, ReadRow> {
  const added = { snapshot_date: RUN_DATE };
  const repairs = { surrogates: 0 };
  const rows: Row[] = api.organizations().flatMap((organization) => {
    if (schema === organizationsSchema) {
      return [rowMaker(schema, added, repairs)(parseOrganization(organization))];
    }
    const uuid = String(organization.uuid);
    const makeRow = rowMaker(schema, { ...added, organization_uuid: uuid }, repairs);
    return [...api.users(uuid)].map((user) => makeRow(parseUser(user)));
  });
  return new Map(
    rows.map((row) => {
      const cells = { ...expectedOf(row, schema, format), snapshot_date: RUN_DATE };
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

for (const reader of READERS) {
  const missing = missingFor(reader);
  if (missing !== undefined) process.stdout.write(`\nnot run: ${reader.name}: ${missing}\n`);

  describe.skipIf(missing !== undefined)(`${reader.name} on a tree that dump wrote`, () => {
    let tables: { format: string; stream: keyof typeof STREAMS; rows: ReadRow[] }[];

    beforeAll(async () => {
      const output = await python(reader, [
        join(import.meta.dirname, `read_${reader.name}.py`),
        tree,
        RUN_DATE,
      ]);
      tables = output
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    });

    it.each(reader.formats)('finds every row of %s with every value that was served', (format) => {
      for (const [stream, schema] of Object.entries(STREAMS)) {
        const table = tables.find((table) => table.format === format && table.stream === stream);
        const expected = served(schema, format);
        expect(table?.rows.length, `${stream}: rows`).toBe(expected.size);
        expect(new Set(table?.rows.map(keyOf)), `${stream}: keys`).toEqual(new Set(expected.keys()));
        for (const row of table?.rows ?? []) {
          const wanted = parsed(expected.get(keyOf(row)) ?? {});
          const { [format]: sees = (row: ParsedRow) => row } = reader.sees ?? {};
          expect(parsed(row), `${stream}, ${keyOf(row)}`).toEqual(sees(wanted));
        }
      }
    });
  });
}

describe('the README', () => {
  const SPARK = `from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
`;

  it.for([
    ['pandas', 'pandas', ''],
    ['Spark', 'spark', SPARK],
  ])('shows how to read the result with %s', async ([title, name, before = ''], { skip }) => {
    const reader = READERS.find((reader) => reader.name === name) as Reader;
    skip(missingFor(reader) !== undefined, missingFor(reader));
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
    const [, code] = new RegExp(`\\n${title}:\\n+\`\`\`python\\n(.*?)\`\`\``, 's').exec(readme) ?? [];
    expect(code).toBeDefined();
    await symlink(join(tree, 'parquet'), join(folder, 'lake')).catch(() => {}); // the other one made it
    expect((await python(reader, ['-c', before + code])).trim()).toBe(
      String(served(usersSchema, 'parquet').size),
    );
  });
});
