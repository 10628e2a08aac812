import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialects } from '../../connectors/warehouse/scripts/index.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { createSink, type Manifest, manifestFiles, streams } from '../../src/index.js';
import { take, temporaryFolder } from '../run/support/tree.js';
import { claudeCompliance } from './support/command.js';
import { COMBINED, pruneBefore, takeCombined } from './support/layouts.js';

const RUN_DATE = '2026-11-23';
const EVERY_STREAM = streams.map(({ name }) => name);
const LOCATIONS: Record<string, string> = { snowflake: '@stage/prefix', bigquery: 'gs://bucket/prefix' };
const NAMES = dialects.map(({ name }) => name);

describe('load sql', () => {
  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;
  let manifest: Manifest;
  /** One in each layout. */
  let snapshots: { root: string; manifest: Manifest }[];

  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [2, 0, 5] });
    folder = await temporaryFolder();
    root = join(folder.path, 'per-org');
    const options = { sink: createSink('parquet'), streams: EVERY_STREAM };
    manifest = await take(api, root, options);
    const combined = COMBINED.map(async (layout) => {
      const at = join(folder.path, layout);
      return { root: at, manifest: await takeCombined(api, at, { layout, ...options }) };
    });
    snapshots = [{ root, manifest }, ...(await Promise.all(combined))];
  });

  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  const load = (dialect: string, location: string, from = root, ...flags: string[]) =>
    claudeCompliance(['load', 'sql', '--from', from, '--dialect', dialect, '--location', location, ...flags]);

  const scriptOf = async (name: string, from: string): Promise<string> => {
    const ended = await load(name, LOCATIONS[name] ?? 's3://bucket/prefix', from);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    return ended.stdout;
  };

  /** The small files that scripts name, by their names without the run. */
  const helpersOf = async (from: string, { written }: Manifest): Promise<Record<string, string>> => {
    const runFolder = join(from, `_runs/run_date=${RUN_DATE}`);
    const names = (await readdir(runFolder)).filter((name) => name.includes(`-${written.run_id}.`));
    const texts = names.map(async (name) => [
      name.replace(`-${written.run_id}`, ''),
      await readFile(join(runFolder, name), 'utf8'),
    ]);
    return Object.fromEntries(await Promise.all(texts));
  };

  /** All that a dialect writes: its script, and the helpers that this one names. */
  const written = async (name: string, from: string, manifest: Manifest): Promise<string> => {
    const script = await scriptOf(name, from);
    if (name !== 'redshift') return script;
    const helpers = Object.entries(await helpersOf(from, manifest));
    return [script, ...helpers.filter(([key]) => key.startsWith(name)).map(([, text]) => text)].join('\n');
  };

  it.each(NAMES)(
    'for %s names every file of the manifest once, whatever its layout, and nothing of the data',
    async (name) => {
      for (const { root, manifest } of snapshots) {
        const text = await written(name, root, manifest);
        const named = text
          .match(/[^'"{},\s]+\/part-\d+-[^./]+\.parquet/g)
          ?.map((path) => path.replace(/^.*prefix\//, ''));
        const paths = manifestFiles(manifest).map(({ path }) => path);
        expect(new Set(manifestFiles(manifest).map(({ table }) => table))).toEqual(new Set(EVERY_STREAM));
        // These two name files relative to their table, and twice: to count the rows, and to load them.
        const isRelative = name === 'spark' || name === 'databricks';
        const relative = paths.map((path) => path.slice(path.indexOf('/') + 1));
        expect(named?.sort()).toEqual((isRelative ? [...relative, ...relative] : paths).sort());
        for (const { email } of api.users(String(api.organizations()[0]?.uuid)))
          expect(text).not.toContain(String(email));
      }
    },
  );

  it.each(NAMES)('for %s empties the tables of streams that the snapshot does not hold', async (name) => {
    const from = join(folder.path, 'without roles');
    await take(api, from, { sink: createSink('parquet') });
    const statements = (await scriptOf(name, from)).split(';\n');
    const about = (table: string) =>
      statements.findIndex(
        (text) => /DELETE|DROP/.test(text) && text.includes(table) && text.includes(RUN_DATE),
      );
    const snapshotsRow = statements.findLastIndex((text) =>
      /INSERT INTO .snapshots|snapshots. \(/.test(text),
    );
    expect(about('roles_snapshot')).toBeGreaterThan(-1);
    expect(about('roles_snapshot')).toBeLessThan(snapshotsRow);
    expect(statements[snapshotsRow]).not.toContain("'roles'");
    expect(statements[snapshotsRow]).toContain("'users'");
  });

  it('refuses a day that was pruned', async () => {
    const from = join(folder.path, 'pruned');
    for (const runDate of ['2026-11-20', RUN_DATE])
      await take(api, from, { sink: createSink('parquet'), runDate });
    await pruneBefore(from, RUN_DATE);
    const { exitCode, stderr } = await load('athena', 's3://bucket/prefix', from, '--run-date', '2026-11-20');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('snapshot_pruned');
  });

  it('gives Redshift the length of each file and BigQuery a list of them, under names of their run', async () => {
    await scriptOf('redshift', root);
    await scriptOf('bigquery', root);
    const helpers = await helpersOf(root, manifest);
    const files = (table: string) => manifestFiles(manifest).filter((file) => file.table === table);
    for (const name of EVERY_STREAM) {
      expect(JSON.parse(helpers[`redshift-${name}.manifest`] ?? '')).toEqual({
        entries: files(name).map(({ path, bytes }) => ({
          url: `s3://bucket/prefix/${path}`,
          mandatory: true,
          meta: { content_length: bytes },
        })),
      });
      const uris = files(name).map(({ path }) => `gs://bucket/prefix/${path}\n`);
      expect(helpers[`bigquery-${name}.uris`]).toBe(uris.join(''));
    }
  });

  it('leaves a root that verify finds nothing wrong with', async () => {
    await scriptOf('redshift', root);
    const { exitCode } = await claudeCompliance(['verify', '--out', root]);
    expect(exitCode).toBe(0);
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
