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
import { LAYOUTS, pruneBefore, takeLaidOut } from './laid-out.js';

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
  let root: string;
  let manifest: Manifest;
  /** By organisation, and the other way. */
  let laidOut: { root: string; manifest: Manifest }[];
  const LOCATIONS: Record<string, string> = { snowflake: '@stage/prefix', bigquery: 'gs://bucket/prefix' };

  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [2, 0, 5] });
    folder = await temporaryFolder();
    root = join(folder.path, 'per-org');
    const sink = createSink('parquet');
    manifest = await take(api, root, { sink });
    const together = LAYOUTS.map(async (layout) => {
      const at = join(folder.path, layout);
      return { root: at, manifest: await takeLaidOut(api, at, { layout, sink }) };
    });
    laidOut = [{ root, manifest }, ...(await Promise.all(together))];
  });

  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  const load = (dialect: string, location: string, from = root, ...flags: string[]) =>
    claudeCompliance(['load', 'sql', '--from', from, '--dialect', dialect, '--location', location, ...flags]);

  /** All that a dialect writes: its script, and the small files beside it. */
  const written = async (name: string, from: string): Promise<string> => {
    const { exitCode, stdout } = await load(name, LOCATIONS[name] ?? 's3://bucket/prefix', from);
    expect(exitCode).toBe(0);
    if (name !== 'redshift') return stdout;
    const helpers = ['organizations', 'users'].map((stream) =>
      readFile(join(from, `_runs/run_date=${manifest.run_date}/redshift-${stream}.manifest`), 'utf8'),
    );
    return [stdout, ...(await Promise.all(helpers))].join('\n');
  };

  it.each(dialects.map(({ name }) => name))(
    'for %s names every file of the manifest once, whatever its layout, and nothing of the data',
    async (name) => {
      for (const { root, manifest } of laidOut) {
        const text = await written(name, root);
        const named = text
          .match(/[^'"{},\s]+\/part-\d+\.parquet/g)
          ?.map((path) => path.replace(/^.*prefix\//, ''));
        const paths = manifestFiles(manifest).map(({ path }) => path);
        // These two name files relative to their table, and twice: to count the rows, and to load them.
        const isRelative = name === 'spark' || name === 'databricks';
        const relative = paths.map((path) => path.slice(path.indexOf('/') + 1));
        expect(named?.sort()).toEqual((isRelative ? [...relative, ...relative] : paths).sort());
        for (const { email } of api.users(manifest.slices[0]?.organization_uuid ?? ''))
          expect(text).not.toContain(String(email));
      }
    },
  );

  it('refuses a day that was pruned', async () => {
    const from = join(folder.path, 'pruned');
    for (const runDate of ['2026-11-20', '2026-11-23'])
      await take(api, from, { sink: createSink('parquet'), runDate });
    await pruneBefore(from, '2026-11-23');
    const { exitCode, stderr } = await load('athena', 's3://bucket/prefix', from, '--run-date', '2026-11-20');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('snapshot_pruned');
  });

  it('gives Redshift the length of each file, and BigQuery a list of them', async () => {
    await load('redshift', 's3://bucket/prefix');
    await load('bigquery', 'gs://bucket/prefix');
    const runFolder = join(root, `_runs/run_date=${manifest.run_date}`);
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
