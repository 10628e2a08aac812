import { createHmac } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import {
  decodeFile,
  LocalStorage,
  type Manifest,
  manifestFiles,
  type Row,
  streams,
} from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { thinOut } from '../thin-out.js';
import { environmentOf, say } from './command.js';

const KEY = 'a key for pseudonyms, 32 characters';
const SECRET = { CLAUDE_COMPLIANCE_PSEUDONYM_KEY: KEY };
const DAY = '2026-11-23';
const FORMATS = ['parquet', 'arrow', 'csv', 'ndjson'];

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [40, 0, 300], groups: 3, awkward: true });
  thinOut(api);
});
afterAll(() => api.close());
beforeEach(async () => {
  await folder?.[Symbol.asyncDispose]();
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const out = (name = 'out') => join(folder.path, name);
/** A dump into a folder, `out` unless it is named, of a day, unless another one is named. */
const dump = (
  args: readonly string[],
  { root = out(), day = DAY, environment = SECRET as object } = {},
): ReturnType<typeof say> =>
  say(
    ['dump', '--requests-per-minute', '0', '--progress', 'none', '--run-date', day, '--out', root, ...args],
    environmentOf(api, { XDG_STATE_HOME: out('state'), ...environment }),
  );
const uuids = () => api.organizations().map(({ uuid }) => String(uuid));
const served = () => uuids().flatMap((uuid) => [...api.users(uuid)].map((user) => ({ uuid, user })));
const PSEUDONYMIZE = ['--pseudonymize', 'email,full_name'];

/** Made as the documentation says, without our code. */
const pseudonymOf = (kind: string, text: string): string =>
  text === '' ? '' : createHmac('sha256', KEY).update(`${kind}\0${text}`).digest('hex');
const emailOf = (text: string) =>
  pseudonymOf('email', text.toWellFormed().normalize('NFC').trim().toLowerCase());
const nameOf = (text: string) => pseudonymOf('name', text.toWellFormed().normalize('NFC').trim());

/** Every text that the fixture serves in one of the columns, or in a field that it does not document. */
function personalTexts(): string[] {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string' && value.trim().length > 5) texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  for (const { user } of served()) {
    const { id, organization_role, created_at, ...others } = user;
    collect(others);
  }
  return texts;
}

async function bytesBelow(path: string): Promise<Buffer> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name)))),
  );
}

const manifestIn = async (root: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, `_runs/run_date=${DAY}/manifest.json`), 'utf8'));

async function rowsIn(root: string, table: string): Promise<Row[]> {
  const manifest = await manifestIn(root);
  const schema = streams.find(({ name }) => name === table)?.schema;
  const rows: Row[] = [];
  for (const file of manifestFiles(manifest).filter((file) => file.table === table)) {
    const bytes = new LocalStorage(root).read(file.path);
    if (schema)
      for await (const batch of decodeFile({ format: manifest.format, path: file.path, schema, bytes }))
        rows.push(...batch);
  }
  return rows;
}

describe('a dump with pseudonyms', () => {
  it('has no text of a person in any byte, in any format, and the pseudonyms that anybody can make with the key', async () => {
    const uncompressed = ['--compression', 'none', '--format', ...FORMATS];
    const clear = await dump(uncompressed, { root: out('clear'), environment: {} });
    expect(clear).toMatchObject({ code: 0 });
    const clearBytes = await bytesBelow(out('clear'));
    const secrets = personalTexts().filter((text) => clearBytes.includes(text));
    expect(secrets.length).toBeGreaterThan(600);

    const { code, stdout, stderr } = await dump([...uncompressed, ...PSEUDONYMIZE]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const bytes = Buffer.concat([await bytesBelow(out()), Buffer.from(stdout)]);
    expect(secrets.filter((text) => bytes.includes(text))).toEqual([]);
    expect(bytes.includes(KEY)).toBe(false);
    for (const format of FORMATS) {
      const rows = await rowsIn(join(out(), format), 'users');
      expect(rows.length).toBe(new Set(served().map(({ uuid, user }) => `${uuid} ${user.id}`)).size);
      const byKey = new Map(rows.map((row) => [`${row.organization_uuid} ${row.id}`, row]));
      for (const { uuid, user } of served()) {
        const row = byKey.get(`${uuid} ${user.id}`);
        expect(row?.email).toBe(typeof user.email === 'string' ? emailOf(user.email) : null);
        expect(row?.full_name).toBe(typeof user.full_name === 'string' ? nameOf(user.full_name) : null);
        if (typeof user.organization_role === 'string')
          expect(row?.organization_role).toBe(user.organization_role.toWellFormed());
      }
    }
  });

  it('names a person alike in every table and on every day, and says which key it used', async () => {
    const args = [...PSEUDONYMIZE, '--streams', 'all', '--format', 'ndjson'];
    expect(await dump(args)).toMatchObject({ code: 0 });
    expect(await dump(args, { day: '2026-11-24' })).toMatchObject({ code: 0 });
    const clear = { root: out('clear'), environment: {} };
    expect(await dump(['--streams', 'all', '--format', 'ndjson'], clear)).toMatchObject({ code: 0 });
    const emailsIn = async (root: string) => [
      ...(await rowsIn(root, 'users')).map(({ organization_uuid, id, email }) => [
        `${organization_uuid} ${id}`,
        email,
      ]),
      ...(await rowsIn(root, 'group_members')).map(({ group_id, user_id, email }) => [
        `${group_id} ${user_id}`,
        email,
      ]),
    ];
    const expected = (await emailsIn(clear.root)).map(([key, email]) => [
      key,
      email && emailOf(String(email)),
    ]);
    expect(expected.length).toBeGreaterThan(served().length);
    expect(await emailsIn(out())).toEqual(expected);
    const { pseudonyms, tables, configuration } = await manifestIn(out());
    expect(pseudonyms).toEqual({
      columns: ['email', 'full_name'],
      key_id: pseudonymOf('key', 'id').slice(0, 16),
      keep_domain: false,
    });
    expect(configuration).not.toHaveProperty('pseudonym_key');
    const later = JSON.parse(
      await readFile(join(out(), '_runs/run_date=2026-11-24/manifest.json'), 'utf8'),
    ) as Manifest;
    const digests = (of: Manifest) => of.tables.users?.slices.map((slice) => slice.pages_sha256);
    expect(digests(later)).toEqual(tables.users?.slices.map((slice) => slice.pages_sha256));
    expect(digests(await manifestIn(clear.root))).not.toEqual(digests(later));
    expect(await say(['compact', '--out', out(), '--run-date', DAY], environmentOf())).toMatchObject({
      code: 0,
    });
    expect((await manifestIn(out())).pseudonyms).toEqual(pseudonyms);
  });

  it('keeps the domain of an address on request, and nothing else of it', async () => {
    await dump([...PSEUDONYMIZE, '--keep-domain', '--format', 'csv']);
    const rows = await rowsIn(out(), 'users');
    const emails = new Map(served().map(({ user }) => [user.id, user.email]));
    const kept = rows.filter(({ email }) => String(email).includes('@'));
    expect(kept.length).toBeGreaterThan(100);
    for (const { id, email } of kept) {
      const served = String(emails.get(id as string));
      expect(email).toBe(`${emailOf(served)}@${served.trim().toLowerCase().split('@').at(-1)}`);
    }
  });

  it('leaves no text of a person in an unfinished run, which another key does not resume', async () => {
    const fail = (at: number) =>
      api.fault({
        match: { organizationUuid: String(api.organizations()[at]?.uuid), list: 'users', times: 1 },
        do: { type: 'answer', status: 403 },
      });
    fail(2);
    expect(await dump([...PSEUDONYMIZE, '--format', 'ndjson', '--concurrency', '1'])).toMatchObject({
      code: 2,
    });
    const staged = await bytesBelow(join(out(), '_staging'));
    expect(staged.includes(String(served()[0]?.user.id))).toBe(true);
    expect(personalTexts().filter((text) => staged.includes(text))).toEqual([]);
    const before = api.requests.length;
    const other = { CLAUDE_COMPLIANCE_PSEUDONYM_KEY: `another ${KEY}` };
    expect(await dump([...PSEUDONYMIZE, '--format', 'ndjson'], { environment: other })).toMatchObject({
      code: 0,
    });
    expect(api.requests.length - before).toBe(1 + api.organizations().length);
  });

  it('streams them to stdout, too', async () => {
    const { stdout } = await dump(['--format', 'ndjson', '--streams', 'users', ...PSEUDONYMIZE], {
      root: '-',
    });
    expect(stdout.trim().split('\n').length).toBe(
      new Set(served().map(({ uuid, user }) => `${uuid} ${user.id}`)).size,
    );
    expect(personalTexts().filter((text) => stdout.includes(text))).toEqual([]);
  });

  it('is refused without a key, and with a short one, before anything is asked or written', async () => {
    const before = api.requests.length;
    const missing = await dump(PSEUDONYMIZE, { environment: {} });
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain('[pseudonym_key_missing]');
    const short = await dump(PSEUDONYMIZE, { environment: { CLAUDE_COMPLIANCE_PSEUDONYM_KEY: 'too short' } });
    expect(short.stderr).toContain('[pseudonym_key_short]');
    expect(short.stderr).not.toContain('too short ');
    expect(api.requests.length).toBe(before);
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('reidentify', () => {
  it('finds the person among candidates, however the address is written, and says how many it did not find', async () => {
    const candidates = out('people.txt');
    await writeFile(candidates, 'ada@example.com\n  Grace@Example.COM \n\nnobody@example.com');
    await writeFile(out('key'), `${KEY}\n`, { mode: 0o600 });
    const ask = (...pseudonyms: string[]) =>
      say([
        'reidentify',
        'email',
        '--candidates',
        candidates,
        '--pseudonym-key-file',
        out('key'),
        '--pseudonym',
        ...pseudonyms,
      ]);
    const grace = emailOf('grace@example.com');
    expect(await ask(`${grace}@example.com`)).toEqual({
      code: 0,
      stdout: `${grace}\t  Grace@Example.COM \n`,
      stderr: '',
    });
    expect(await ask(grace, emailOf('else@example.com'))).toMatchObject({
      code: 1,
      stderr: 'note: 1 of 2 stand for none of the candidates.\n',
    });
    const absent = await say(
      ['reidentify', 'email', '--candidates', out('absent'), '--pseudonym', grace],
      SECRET,
    );
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('[candidates_unreadable]') });
  });
});

describe('diff, access and review with pseudonyms', () => {
  const read = (command: string, args: readonly string[]) =>
    say(
      [command, ...args, '--out', out(), '--output', '-', '--format', 'ndjson'],
      environmentOf(undefined, { XDG_STATE_HOME: out('state'), ...SECRET }),
    );
  const linesOf = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);

  it('compare a day in clear with one that was written with pseudonyms, as if both had been', async () => {
    expect(await dump([], { day: '2026-11-22' })).toMatchObject({ code: 0 });
    expect(await dump(PSEUDONYMIZE)).toMatchObject({ code: 0 });
    const differ = linesOf((await read('diff', [])).stdout);
    expect(differ.map(({ field, reason }) => `${field}: ${reason}`).sort()).toEqual([
      'email: pseudonyms_differ',
      'extra: pseudonyms_differ',
      'full_name: pseudonyms_differ',
    ]);
    expect(await read('diff', PSEUDONYMIZE)).toEqual({
      code: 0,
      stdout: '',
      stderr: `changes from 2026-11-22 to ${DAY}\n  nothing\n`,
    });
    expect((await read('diff', ['--pseudonymize', 'email', '--exit-code'])).code).toBe(3);
  });

  it('answer from a day in clear what a day that was written with pseudonyms answers', async () => {
    expect(await dump([])).toMatchObject({ code: 0 });
    const clear = await read('access', []);
    const fromClear = await read('access', PSEUDONYMIZE);
    await rm(out(), { recursive: true });
    expect(await dump(PSEUDONYMIZE)).toMatchObject({ code: 0 });
    expect(fromClear).toEqual(await read('access', []));
    const secrets = personalTexts().filter((text) => clear.stdout.includes(text));
    expect(secrets.length).toBeGreaterThan(300);
    expect(secrets.filter((text) => fromClear.stdout.includes(text))).toEqual([]);
  });

  it('are all that an access review has of people', async () => {
    const textsIn = async (path: string) => {
      const bytes = await bytesBelow(path);
      return personalTexts().filter((text) => bytes.includes(text));
    };
    const review = async (name: string, args: readonly string[]) => {
      const { code, stderr } = await say(
        ['review', '--root', out(), '--out', out(name), ...args],
        environmentOf(undefined, { XDG_STATE_HOME: out('state'), ...SECRET }),
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    };
    expect(await dump([])).toMatchObject({ code: 0 });
    await review('in-clear', []);
    await review('pack', PSEUDONYMIZE);
    expect((await textsIn(out('in-clear'))).length).toBeGreaterThan(300);
    expect(await textsIn(out('pack'))).toEqual([]);
    expect(JSON.parse(await readFile(join(out('pack'), 'evidence.json'), 'utf8')).pseudonyms).toMatchObject({
      columns: ['email', 'full_name'],
    });
  });

  it('are refused where the day has pseudonyms of another kind', async () => {
    expect(await dump([...PSEUDONYMIZE, '--keep-domain'])).toMatchObject({ code: 0 });
    const { code, stderr } = await read('access', PSEUDONYMIZE);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `error: The snapshot of ${DAY} has pseudonyms already, made with --keep-domain. Do the same here, or leave out --pseudonymize. [pseudonyms_differ]\n`,
    });
  });
});
