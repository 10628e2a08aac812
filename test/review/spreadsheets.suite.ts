import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, LocalStorage, populationSchema, snapshot, streams } from '../../src/index.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { venv } from '../python/venv.js';
import { clientOf, RUN_DATE, temporaryFolder } from '../run/support/tree.js';
import { AWKWARD, awkwardDay } from './support/awkward-day.js';
import { evidenceIn, packOf } from './support/packs.js';

const made = await venv('spreadsheets', ['openpyxl==3.1.5']);
if ('missing' in made) console.log(`not run: ${made.missing}`);

interface Read {
  csv: string[][];
  xlsx: (string | null)[][];
  types: string[];
  sheets: string[];
  frozen: string;
}

async function read(pack: string): Promise<Read> {
  if ('missing' in made) throw new Error(made.missing);
  const script = join(import.meta.dirname, 'read_pack.py');
  const options = { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }, maxBuffer: 512 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(made.python, [script, pack], options);
  return JSON.parse(stdout);
}

const unguarded = (cell: string): string => cell.replace(/^'(?=[=+\-@\t\n])/, '');
/** openpyxl does not read the way in which Excel writes `_x0041_`. */
const asExcelReads = (cell: string | null): string => (cell ?? '').replaceAll('_x005F_', '_');

describe.skipIf('missing' in made)('a population that openpyxl and the csv module read', () => {
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  let api: FixtureApi;
  beforeAll(async () => {
    root = await temporaryFolder();
    api = await startFixtureApi({ sizes: [AWKWARD_ROUND, 12, 0, 25], awkward: true, groups: 120 });
  });
  afterAll(async () => {
    await api.close();
    await root[Symbol.asyncDispose]();
  });

  const expectEqual = async (pack: string, names: readonly string[] = []) => {
    const { csv, xlsx, types, sheets, frozen } = await read(pack);
    const { population } = await evidenceIn(pack);
    expect(csv).toHaveLength(population.rows + 1);
    expect(xlsx.map((row) => row.map(asExcelReads).map(unguarded))).toEqual(
      csv.map((row) => row.map(unguarded)),
    );
    expect(csv[0]).toEqual(populationSchema.fields.map(({ name }) => name));
    expect({ types, sheets, frozen }).toEqual({ types: ['s'], sheets: ['population'], frozen: 'A2' });
    for (const name of names) expect(xlsx.flat()).toContain(name);
  };

  it('has the same rows in both, every cell a text', async () => {
    await using client = clientOf(api);
    const storage = new LocalStorage(join(root.path, 'root'));
    const names = streams.map(({ name }) => name);
    await snapshot({
      client,
      storage,
      sink: createSink('parquet'),
      streams: names,
      runDate: RUN_DATE,
      backDated: true,
    });
    await expectEqual(await packOf(root.path));
  });

  it('keeps names that look like formulas, numbers, dates and pages', async () => {
    await using made = await startMadeUpApi();
    const folder = join(root.path, 'awkward');
    await take(made, new LocalStorage(join(folder, 'root')), awkwardDay, { runDate: RUN_DATE });
    const kept = AWKWARD.filter(
      (name) => name !== '' && name.length <= 32_000 && !/\r|\p{Cs}|\uffff|(?!\n|\t)\p{Cc}|_x/u.test(name),
    );
    await expectEqual(await packOf(folder), kept);
  });
});
