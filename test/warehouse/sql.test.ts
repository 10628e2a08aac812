import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialects } from '../../connectors/warehouse/dialects/index.js';
import { quoting, standardQuoting } from '../../connectors/warehouse/sql.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, type Manifest, manifestFiles } from '../../src/index.js';
import { take, temporaryFolder } from '../snapshot/tree.js';
import { claudeCompliance } from './command.js';

const printable = fc
  .string({ unit: 'grapheme' })
  .filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());

describe('quoting', () => {
  it('gives back any text and any name, as DuckDB reads them', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await fc.assert(
      fc.asyncProperty(printable, printable, async (text, name) => {
        const named = `n${name}`; // no engine has an empty name
        const reader = await connection.runAndReadAll(
          `SELECT ${standardQuoting.value(text)} AS ${standardQuoting.name(named)}`,
        );
        expect(reader.getRows()).toEqual([[text]]);
        expect(reader.columnNames()).toEqual([named]);
      }),
      { numRuns: 200 },
    );
    connection.closeSync();
  });

  it('lets no text out of its quotes where a backslash escapes', () => {
    fc.assert(
      fc.property(printable, (text) => {
        const written = quoting('`', 'doubled').value(text);
        expect(written).toMatch(/^'(?:[^'\\]|\\.)*'$/u);
        expect(written.slice(1, -1).replaceAll(/\\(.)/gu, '$1')).toBe(text);
      }),
    );
  });

  it.each(['a\u0000b', 'line\nend', '\ud800', 'back\\slash'])(
    'refuses %j where it may mean something else',
    (text) => {
      expect(() => quoting('"', 'refused').value(text)).toThrow(TypeError);
    },
  );

  it('refuses numbers that are not whole', () => {
    expect(() => standardQuoting.value(0.5)).toThrow(TypeError);
  });
});

describe('load sql', () => {
  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let manifest: Manifest;
  const LOCATIONS: Record<string, string> = { snowflake: '@stage/prefix', bigquery: 'gs://bucket/prefix' };

  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [2, 0, 5] });
    folder = await temporaryFolder();
    manifest = await take(api, folder.path, { sink: createSink('parquet') });
  });

  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  const load = (dialect: string, location: string) =>
    claudeCompliance(['load', 'sql', '--from', folder.path, '--dialect', dialect, '--location', location]);

  it.each(dialects.map(({ name }) => name))(
    'for %s names every file of the manifest once, and nothing of the data',
    async (name) => {
      const { exitCode, stdout } = await load(name, LOCATIONS[name] ?? 's3://bucket/prefix');
      expect(exitCode).toBe(0);
      const runFolder = join(folder.path, `_runs/run_date=${manifest.run_date}`);
      const text =
        name === 'redshift' ? await readFile(join(runFolder, 'redshift-users.manifest'), 'utf8') : stdout;
      for (const { path } of manifestFiles(manifest).filter(({ table }) => table === 'users')) {
        expect(text.split(path.slice('users/'.length)).length - 1).toBe(
          name === 'spark' || name === 'databricks' ? 2 : 1,
        );
      }
      for (const user of api.users(manifest.slices[0]?.organization_uuid ?? '')) {
        expect(stdout).not.toContain(String(user.email));
      }
    },
  );

  it('gives Redshift the length of each file, and BigQuery a list of them', async () => {
    await load('redshift', 's3://bucket/prefix');
    await load('bigquery', 'gs://bucket/prefix');
    const runFolder = join(folder.path, `_runs/run_date=${manifest.run_date}`);
    const { entries } = JSON.parse(
      await readFile(join(runFolder, 'redshift-organizations.manifest'), 'utf8'),
    );
    const [file] = manifest.organizations.files;
    expect(entries).toEqual([
      { url: `s3://bucket/prefix/${file?.path}`, mandatory: true, meta: { content_length: file?.bytes } },
    ]);
    expect(await readFile(join(runFolder, 'bigquery-organizations.uris'), 'utf8')).toBe(
      `gs://bucket/prefix/${file?.path}\n`,
    );
  });

  it.each([
    ['snowflake', 's3://bucket/prefix'],
    ['bigquery', 's3://bucket/prefix'],
    ['athena', '/a/folder'],
    ['redshift', "s3://bucket/it's"],
  ])('for %s refuses %s, and says what would do', async (dialect, location) => {
    const { exitCode, stderr } = await load(dialect, location);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/Name .* by --location|must be an address/);
  });
});
