/**
 * What queries for one day and for one organisation cost in each layout, on disk and in a bucket, and what it costs to
 * compact a day: `npm run bench -- layout [organizations] [users of each] [other formats]`; the tables are Markdown. Needs
 * the built command.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { Layout, Manifest } from '../src/index.js';
import { compare, type Figure, LAYOUTS, type Query } from './compare-layouts.js';
import { type Answer, ask } from './duckdb-query.js';
import { startFixtureProcess } from './fixture-process.js';
import { type AskedOnS3, lakeOnS3 } from './lake-on-s3.js';
import { head, row } from './markdown-table.js';
import { measured } from './measured.js';

const COMMAND = resolve(import.meta.dirname, '../dist/connectors/cli/main.js');
/** Of each query in each layout, turn by turn; the median counts. */
const TURNS = 5;
/** A server in Python answers some hundred requests a second, and their number is the same each time. */
const TURNS_ON_S3 = 3;

const [organizations = 1000, usersOfEach = 1000] = process.argv.slice(2, 4).map(Number);
const otherFormats = process.argv[4]?.split(',') ?? ['ndjson', 'csv'];
const users = organizations * usersOfEach;
const folder = await mkdtemp(join(tmpdir(), 'bench-'));

/** Runs a command after which a root holds all users, and prints what that cost. */
async function change(name: string, args: readonly string[], environment = {}): Promise<Manifest> {
  const { elapsed, cpu, peakRss, stdout } = await measured([COMMAND, ...args, '--json'], environment);
  const { manifest }: { manifest: Manifest } = JSON.parse(stdout);
  const { tables, totals } = manifest;
  if (tables.users?.rows !== users) throw new Error(`${name}: ${tables.users?.rows} users, not ${users}`);
  const costs = [elapsed / 1000, cpu / 1e6, cpu / users].map((value) => value.toFixed(1));
  row([name, ...costs, Math.round(peakRss), totals.files, (totals.bytes / 1e6).toFixed(1)]);
  return manifest;
}

/** A root in each layout, of one date; the folders are named after their layouts. */
async function makeRoots(api: { url: string; key: string }, format: string): Promise<Manifest> {
  const environment = { ANTHROPIC_COMPLIANCE_BASE_URL: api.url, ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key };
  const [perOrg, perDate] = LAYOUTS.map((layout) => join(folder, format, layout)) as [string, string];
  const dump = (name: string, layout: Layout, out: string): Promise<Manifest> =>
    change(
      name,
      [
        'dump',
        ...['--out', out, '--layout', layout, '--format', format],
        ...['--requests-per-minute', '0', '--progress', 'none'],
      ],
      environment,
    );

  head(format, ['wall s', 'CPU s', 'CPU µs/row', 'peak RSS MB', 'files', 'MB']);
  const manifest = await dump('dump', 'per-org', perOrg);
  await cp(perOrg, perDate, { recursive: true });
  await change('compact', ['compact', '--out', perDate, '--run-date', manifest.run_date]);
  if (format !== 'parquet') return manifest;
  const direct = join(folder, 'direct');
  await dump('dump --layout per-date', 'per-date', direct);
  await rm(direct, { recursive: true });
  return manifest;
}

/** @param at where the roots are: a folder, or a bucket */
function queriesOf(manifest: Manifest, at: string): Record<'day' | 'byColumn' | 'byPath', Query> {
  const uuid = organizationOf(manifest);
  const day = (layout: Layout): string => `${at}/${layout}/users/run_date=${manifest.run_date}`;
  const files = `*.${manifest.format}`;
  const roles = (from: string, where = ''): string =>
    `SELECT organization_role, count(*) FROM '${from}' ${where} GROUP BY ALL ORDER BY ALL`;
  const byColumn = (layout: Layout): string =>
    roles(`${day(layout)}/**/${files}`, `WHERE organization_uuid = '${uuid}'`);
  const both = (sql: (layout: Layout) => string): Query['sql'] => ({
    'per-org': sql('per-org'),
    'per-date': sql('per-date'),
  });
  return {
    day: { name: 'one day', sql: both((layout) => roles(`${day(layout)}/**/${files}`)) },
    byColumn: { name: 'one organisation, by its column', sql: both(byColumn) },
    byPath: {
      name: 'one organisation, by its path where there is one',
      sql: {
        'per-org': roles(`${day('per-org')}/org_uuid=${uuid}/${files}`),
        'per-date': byColumn('per-date'),
      },
    },
  };
}

/** The one in the middle of the order in which the file of a date has them. */
function organizationOf({ tables }: Manifest): string {
  const uuids = tables.users?.slices.map(({ parent }) => parent.organization_uuid ?? '').sort() ?? [];
  return uuids[uuids.length >> 1] ?? '';
}

const TIMES: readonly Figure<Answer>[] = [
  { name: 'CPU ms', of: ({ cpu }) => cpu },
  { name: 'wall ms', of: ({ elapsed }) => elapsed },
];
const TRAFFIC: readonly Figure<AskedOnS3>[] = [
  { name: 'requests', of: ({ requests }) => requests },
  { name: 'MB asked for', digits: 2, of: ({ bytes }) => bytes / 1e6 },
];

const onDisk = (queries: readonly Query[]): Promise<void> =>
  compare('DuckDB, from disk', { queries, turns: TURNS, figures: TIMES, question: (sql) => ask({ sql }) });

async function onS3(manifest: Manifest): Promise<void> {
  const lake = await lakeOnS3(LAYOUTS.map((layout) => join(folder, 'parquet', layout)));
  if ('missing' in lake) {
    console.log(`\nnot run: ${lake.missing}`);
    return;
  }
  await using bucket = lake;
  await compare(
    'DuckDB, from S3 (moto on this machine: the requests are those of any bucket, the time is not)',
    {
      queries: Object.values(queriesOf(manifest, bucket.url)),
      turns: TURNS_ON_S3,
      figures: [...TRAFFIC, ...TIMES],
      question: bucket.ask,
    },
  );
}

/** How much of the file of a date a query for one organisation can skip, by the statistics in the file. */
async function skipped(manifest: Manifest): Promise<void> {
  const uuid = organizationOf(manifest);
  const sql = `
    WITH chunks AS (FROM parquet_metadata('${join(folder, 'parquet/per-date/users')}/**/*.parquet')),
    groups AS (
      SELECT sum(total_compressed_size) AS bytes,
        bool_or(path_in_schema = 'organization_uuid' AND '${uuid}' BETWEEN stats_min_value AND stats_max_value) AS is_read
      FROM chunks GROUP BY file_name, row_group_id)
    SELECT count(*)::INT, count(*) FILTER (NOT is_read)::INT,
      coalesce(sum(bytes) FILTER (is_read) / sum(bytes), 0)::DOUBLE FROM groups`;
  const [groups, skippable, share] = (await ask({ sql })).rows[0] as [number, number, number];
  console.log(
    `\nOf ${groups} row groups per-date, a query for one organisation skips ${skippable}, and reads ${(share * 100).toFixed(1)} % of the bytes.`,
  );
}

try {
  await using api = await startFixtureProcess(users, organizations);
  console.log(
    `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}; ${organizations.toLocaleString('en-GB')} organisations of ${usersOfEach.toLocaleString('en-GB')} users, one date`,
  );
  const manifest = await makeRoots(api, 'parquet');
  await onDisk(Object.values(queriesOf(manifest, join(folder, 'parquet'))));
  await skipped(manifest);
  await onS3(manifest);
  for (const format of otherFormats) {
    const { day } = queriesOf(await makeRoots(api, format), join(folder, format));
    await onDisk([day]);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
