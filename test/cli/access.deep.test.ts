import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type AccessRow, effectiveAccessSchema, sinkFormats } from '../../src/index.js';
import { referenceRows, rowTexts } from '../access/support/reference.js';
import { servedDirectory } from '../access/support/served.js';
import { temporaryFolder, uuidOf } from '../run/support/tree.js';
import { readersOf } from '../sinks/readers.js';
import { environmentOf, run, say } from './command.js';

const DATE = '2026-11-23';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let expected: AccessRow[];
/** An organisation of which the users, and one of which the roles were not read. */
let incomplete: string;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [30, 0, 60, 7], groups: 8, members: 12 });
  folder = await temporaryFolder();
  await dump('out', '--streams', 'all');
  expected = referenceRows(servedDirectory(api, DATE)) as AccessRow[];
  incomplete = 'incomplete';
  api.fault({ match: { list: 'users', organizationUuid: uuidOf(api, 3), times: 1 }, do: refusal });
  api.fault({ match: { list: 'roles', organizationUuid: uuidOf(api, 0), times: 1 }, do: refusal });
  await dump(incomplete, '--streams', 'all', '--on-org-failure', 'continue');
}, 60_000);
afterAll(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const refusal = { type: 'answer', status: 403 } as const;
const environment = () => environmentOf(undefined, { XDG_STATE_HOME: join(folder.path, 'state') });

async function dump(root: string, ...args: string[]): Promise<void> {
  const date = args.includes('--run-date') ? [] : ['--run-date', DATE];
  const flags = [...date, '--requests-per-minute', '0', '--progress', 'none'];
  const { stderr } = await say(
    ['dump', '--out', join(folder.path, root), ...flags, ...args],
    environmentOf(api),
  );
  expect(stderr).toBe('');
}
const access = (root: string, ...args: string[]) =>
  say(['access', '--out', join(folder.path, root), ...args], environment());
const lines = (ndjson: string): AccessRow[] =>
  ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
/** The rows that a command line gives, and what it says about them. */
async function accessRows(root: string, ...args: string[]) {
  const { code, stdout, stderr } = await access(root, '--format', 'ndjson', ...args);
  expect(code).toBe(0);
  return { rows: lines(stdout), said: stderr };
}
const people = (rows: readonly AccessRow[]): number =>
  new Set(rows.flatMap(({ user_id }) => user_id ?? [])).size;

describe('access', () => {
  it('writes who may do what to stdout, and a summary to stderr', async () => {
    const { rows, said } = await accessRows('out');
    expect(rowTexts(rows)).toEqual(rowTexts(expected));
    const blanket = people(expected.filter(({ is_blanket }) => is_blanket));
    const orphans = people(expected.filter(({ membership }) => membership === 'none'));
    const unknown = expected.filter(({ status }) => status === 'unknown').length;
    for (const number of [blanket, orphans, unknown]) expect(number).toBeGreaterThan(1);
    expect(said).toBe(
      [
        `effective access of ${DATE}: ${rows.length.toLocaleString('en-GB')} rows about ${people(expected)} people`,
        `  blanket permissions: ${blanket} people`,
        `  orphans, in a group and in no organisation: ${orphans} people`,
        `  unknown, which is not "no access": ${unknown} rows (group_roles_unavailable ${unknown})`,
        '',
      ].join('\n'),
    );
  });

  it('is CSV unless another format is asked for, as the built command prints it', async () => {
    const { code, stdout } = await run(['access', '--out', join(folder.path, 'out')], {
      env: environment(),
    });
    expect(code).toBe(0);
    const [head, ...rest] = stdout.split('\r\n');
    expect(head).toBe(effectiveAccessSchema.fields.map(({ name }) => name).join());
    expect(rest.filter((line) => line !== '')).toHaveLength(expected.length);
  });

  it.each(sinkFormats)('writes $name to a file that is named so, and says where', async ({ name }) => {
    const to = join(folder.path, `access.${name}`);
    const { code, stdout, stderr } = await access('out', '--output', to);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const file = await readFile(to);
    expect(stdout).toContain(`  in ${to}: ${name}, ${file.length.toLocaleString('en-GB')} bytes\n`);
    expect((await stat(to)).mode & 0o777).toBe(0o600);
    const [reader] = readersOf[name] ?? [];
    if (!reader) throw new Error(`nothing reads ${name}`);
    const read = await reader.read(file, name, effectiveAccessSchema);
    expect(read.map(({ user_id, action, is_blanket }) => [user_id, action, is_blanket])).toEqual(
      (await accessRows('out')).rows.map(({ user_id, action, is_blanket }) => [user_id, action, is_blanket]),
    );
  });

  it('compresses a file whose name says so, and takes another format than the name has', async () => {
    const [plain, zipped, odd] = ['plain.csv', 'access.csv.gz', 'access.txt'].map((name) =>
      join(folder.path, name),
    ) as [string, string, string];
    for (const to of [plain, zipped]) expect(await access('out', '--output', to)).toMatchObject({ code: 0 });
    expect(gunzipSync(await readFile(zipped))).toEqual(await readFile(plain));
    expect((await access('out', '--output', odd)).stderr).toContain('[format_unknown]');
    expect(await access('out', '--output', odd, '--format', 'csv', '--file-mode', '640')).toMatchObject({
      code: 0,
    });
    expect(await readFile(odd)).toEqual(await readFile(plain));
    expect((await stat(odd)).mode & 0o777).toBe(0o640);
  });

  it('answers about a user, an organisation, and what a reviewer looks at first', async () => {
    const someone = expected.find(({ is_blanket, membership }) => is_blanket && membership === 'member');
    const user = someone?.user_id ?? '';
    const about = async (...flags: string[]) => rowTexts((await accessRows('out', ...flags)).rows);
    const those = (keep: (row: AccessRow) => boolean) => rowTexts(expected.filter(keep));
    expect(await about('--user', user)).toEqual(those((row) => row.user_id === user));
    const uuid = uuidOf(api, 2);
    expect(await about('--org', uuid.toUpperCase())).toEqual(
      those(
        (row) =>
          row.organization_uuid === uuid || (row.organization_uuid === null && row.status === 'unknown'),
      ),
    );
    expect(await about('--only', 'blanket')).toEqual(those((row) => row.is_blanket));
    expect(await about('--only', 'orphans,unknown')).toEqual(
      those((row) => row.membership === 'none' || row.status === 'unknown'),
    );
    expect(await about('--user', user, '--org', uuid, '--only', 'blanket')).toEqual(
      those((row) => row.user_id === user && row.organization_uuid === uuid && row.is_blanket),
    );
    const { said } = await accessRows('out', '--only', 'blanket');
    expect(said).toContain(
      `of ${expected.length.toLocaleString('en-GB')} rows about ${people(expected)} people\n`,
    );
    expect(said).toContain('  unknown, which is not "no access": ');
  });

  it('never answers "nothing" where something was not read', async () => {
    const { rows, said } = await accessRows(incomplete, '--user', 'user_of_nobody');
    expect(rows.map(({ user_id, status, reason }) => ({ user_id, status, reason }))).toEqual([
      { user_id: null, status: 'unknown', reason: 'users_not_read' },
    ]);
    expect(said).toContain(
      '1 row about 0 people\n  unknown, which is not "no access": 1 row (users_not_read 1)\n',
    );
    const all = await accessRows(incomplete);
    expect(all.said).toMatch(/unknown.* rows \(.*\broles_not_read \d+/);
    expect(all.said).toMatch(/\busers_not_read \d+/);
  });

  it('of a dump of organisations and users says that groups are unknown', async () => {
    await dump('usual');
    const { rows, said } = await accessRows('usual');
    expect(rows.filter(({ source }) => source === 'group')).toMatchObject([
      { user_id: null, status: 'unknown', reason: 'groups_not_read' },
    ]);
    expect(said).toContain('unknown, which is not "no access": 1 row (groups_not_read 1)');
  });

  it('is about the newest snapshot, or the one of a day', async () => {
    await dump('days', '--run-date', '2026-11-24', '--streams', 'all', '--format', 'csv');
    await dump('days', '--run-date', '2026-11-25', '--streams', 'users,organizations', '--format', 'csv');
    const datesOf = async (...flags: string[]) =>
      new Set((await accessRows('days', ...flags)).rows.map(({ snapshot_date }) => snapshot_date));
    expect(await datesOf()).toEqual(new Set(['2026-11-25']));
    expect(await datesOf('--run-date', '2026-11-24')).toEqual(new Set(['2026-11-24']));
    expect(await access('days', '--run-date', '2026-11-20')).toMatchObject({ code: 2, stdout: '' });
    expect((await access('nowhere')).stderr).toContain('[snapshot_missing]');
  });

  it('requests nothing, and leaves nothing in the root or in the folder for temporary files', async () => {
    const before = api.requests.length;
    const root = join(folder.path, 'out');
    const files = await readdir(root, { recursive: true });
    await access('out');
    await access('out', '--user', 'user_of_nobody');
    expect(api.requests.length).toBe(before);
    expect(await readdir(root, { recursive: true })).toEqual(files);
    expect(await readdir(join(folder.path, 'state/claude-compliance-connector/_staging/tmp'))).toEqual([]);
    const verified = await say(['verify', '--out', root, '--all']);
    expect(verified).toMatchObject({ code: 0 });
  });
});

describe('the file of access --output', () => {
  let place: string;
  beforeEach(async () => {
    place = join(folder.path, `files-${Math.random()}`);
    await mkdir(place);
  });
  const to = (name: string, ...args: string[]) => access('out', '--output', join(place, name), ...args);

  it('is not replaced without being asked', async () => {
    const path = join(place, 'access.csv');
    await writeFile(path, 'mine');
    await symlink(join(place, 'absent'), join(place, 'link.csv'));
    for (const name of ['access.csv', 'link.csv']) {
      const refused = await to(name);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain(
        'exists already. Choose another name, or replace it with --overwrite.',
      );
    }
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect(await to('access.csv', '--overwrite')).toMatchObject({ code: 0 });
    expect(await readFile(path, 'utf8')).toContain('snapshot_date,');
    expect(await readdir(place)).toEqual(['access.csv', 'link.csv']);
  });

  it('appears completely or not at all: a damaged snapshot leaves none', async () => {
    await dump('damaged', '--streams', 'all', '--format', 'csv');
    const files = await readdir(join(folder.path, 'damaged/groups'), { recursive: true });
    const file = join(folder.path, 'damaged/groups', files.find((name) => name.endsWith('.csv')) ?? '');
    await writeFile(file, (await readFile(file, 'utf8')).replace('direct', 'DIRECT'));
    const { code, stderr } = await access('damaged', '--output', join(place, 'access.csv'));
    expect({ code, left: await readdir(place) }).toEqual({ code: 1, left: [] });
    expect(stderr).toContain('[file_differs]');
  });

  it.each([
    ['s3://bucket/access.csv', '[output_not_local]'],
    ['absent/access.csv', '[file_unwritable]'],
  ])('may not be %s', async (name, said) => {
    const target = name.includes('://') ? name : join(place, name);
    const { code, stdout, stderr } = await access('out', '--output', target);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  it('is needed for formats that are no text', async () => {
    const { code, stdout, stderr } = await access('out', '--format', 'parquet');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(
      'stdout takes text: give --format ndjson or csv, or for parquet a file by --output.',
    );
  });
});
