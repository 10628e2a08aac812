import { DuckDBInstance } from '@duckdb/node-api';
import type { Field } from '../../src/index.js';
import { DUCKDB_SOURCES } from '../duckdb-sources.js';
import type { Answers, Asked, ReadRow, Table } from './answers.js';

type Format = keyof typeof DUCKDB_SOURCES;
export const DUCKDB_FORMATS = Object.keys(DUCKDB_SOURCES) as Format[];

/** Reads trees with DuckDB. */
export const askDuckDb = (asked: Asked): Promise<Answers> => withDuckDb((query) => answersOf(query, asked));

async function answersOf(query: Query, asked: Asked): Promise<Answers> {
  const { trees, fields, dates, examples, spoiled } = asked;
  const answers: Answers = { tables: [], examples: [], traps: [] };
  const read = async (root: string, table: Omit<Table, 'rows'>): Promise<void> => {
    const statement = selectOf(root, table, fields[table.stream] ?? []);
    answers.tables.push({ ...table, rows: (await query(statement)) as ReadRow[] });
  };
  for (const [tree, root] of Object.entries(trees)) {
    for (const format of DUCKDB_FORMATS)
      for (const stream of Object.keys(fields))
        for (const run_date of dates) await read(root, { tree, format, stream, run_date });
    for (const [example, code] of Object.entries(examples[tree] ?? {}))
      answers.examples.push({ tree, example, printed: (await membersBy(code)).join('\n') });
    for (const [trap, statement] of Object.entries(trapsOf(`${root}/parquet/users`, asked)))
      answers.traps.push({ tree, trap, result: await resultOf(statement) });
  }
  const [run_date = ''] = dates;
  await read(spoiled, { tree: 'spoiled', format: 'parquet', stream: 'users', run_date });
  return answers;
}

/** Selects the rows of one day, as texts. */
function selectOf(
  root: string,
  { format, stream, run_date }: Omit<Table, 'rows'>,
  fields: readonly Field[],
): string {
  const files = `${root}/${format}/${stream}/**/part-*`;
  const more = ', hive_partitioning = false, filename = true';
  const source = DUCKDB_SOURCES[format as Format](files, { fields }, more);
  const columns = fields.map(({ name, type }) => {
    const value = format === 'parquet' && type === 'timestamp' ? `epoch_us(${name})` : name;
    return `CAST(${value} AS VARCHAR) AS ${name}`;
  });
  return `SELECT ${columns} FROM ${source} WHERE regexp_extract(filename, 'run_date=([0-9-]+)', 1) = '${run_date}'`;
}

/** The ways to count users that the documentation warns of. */
function trapsOf(users: string, { dates, organization }: Asked): Record<string, string> {
  const count = (pattern: string, where = ''): string =>
    `SELECT count(*) AS members FROM read_parquet('${users}/${pattern})${where}`;
  const keys = { run_date: dates.at(-1), org_uuid: organization };
  return {
    'a fixed depth': count("run_date=*/*/part-*.parquet'"),
    ...Object.fromEntries(
      Object.entries(keys).flatMap(([key, value]) => {
        const where = ` WHERE ${key} = '${value}'`;
        return [
          [`${key} as a key`, count("**/*.parquet'", where)],
          [`${key} as a key of Hive`, count("**/*.parquet', hive_partitioning = true", where)],
        ];
      }),
    ),
  };
}

const resultOf = (statement: string): Promise<number | string> =>
  membersBy(statement).then(
    ([members = Number.NaN]) => members,
    (error) => String(error),
  );

/** Runs statements with DuckDB. @returns the sum of `members` for each that gives some */
export async function membersBy(code: string): Promise<number[]> {
  return await withDuckDb(async (query) => {
    const sums: number[] = [];
    for (const statement of code.split(';\n').filter((statement) => statement.trim() !== '')) {
      const rows = await query(statement);
      if (rows.some((row) => 'members' in row))
        sums.push(rows.reduce((sum, row) => sum + Number(row.members), 0));
    }
    return sums;
  });
}

type Query = (statement: string) => Promise<Record<string, unknown>[]>;

async function withDuckDb<T>(use: (query: Query) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return await use(async (statement) => (await connection.runAndReadAll(statement)).getRowObjectsJS());
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
