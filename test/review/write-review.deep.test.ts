import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { html } from '../../src/html.js';
import {
  createSink,
  diffSnapshots,
  evidenceSchema,
  LocalStorage,
  manifestFiles,
  streams,
} from '../../src/index.js';
import { sourceOf } from '../../src/lake/source.js';
import { completenessOf } from '../../src/review/completeness.js';
import { changesUntil } from '../../src/review/source.js';
import { type Day, type MadeUpApi, startMadeUpApi } from '../diff/support/made-up-api.js';
import { madeUpDay, madeUpHistory } from '../diff/support/made-up-days.js';
import { take } from '../diff/support/take.js';
import { runs } from '../property-runs.js';
import { temporaryFolder } from '../run/support/tree.js';
import { AWKWARD, awkwardDay, TWO } from './support/awkward-day.js';
import { csvOf, evidenceIn, filesIn, packOf, rowsIn } from './support/packs.js';
import { type PlainRow, referenceExceptions, referencePopulation } from './support/reference-population.js';

let api: MadeUpApi;
beforeAll(async () => {
  api = await startMadeUpApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const RUN_DATE = '2026-11-23';
const asTexts = (rows: readonly PlainRow[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
const REVIEWED = ['decision', 'reviewer', 'decided_at', 'note'];

/** What a row says, without its id and what the reviewer fills in. */
const said = ({ row_id, ...row }: PlainRow): PlainRow =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !REVIEWED.includes(name)));

describe('a pack of any day', () => {
  it('has the population, the exceptions and the evidence that the reference has', async () => {
    await fc.assert(
      fc.asyncProperty(madeUpDay, fc.constantFrom('parquet', 'csv'), async (day, format) => {
        await using root = await temporaryFolder();
        const storage = new LocalStorage(join(root.path, 'root'));
        const manifest = await take(api, storage, day, { runDate: RUN_DATE, sink: createSink(format) });
        const known = new Set(['ada@example.com']);
        const idp = csvOf('User Name\n ADA@example.com\n', '--idp people.csv');
        const pack = await packOf(root.path, { identityProvider: idp });

        const population = await rowsIn(pack, 'population.csv');
        const expected = referencePopulation(day, manifest);
        expect(asTexts(population.map(said))).toEqual(asTexts(expected));
        expect(population.every((row) => REVIEWED.every((name) => row[name] === ''))).toBe(true);
        expect(population.map(({ row_id }) => row_id?.split('-')[0])).toEqual(
          population.map((_, i) => `r${i + 1}`),
        );
        const exceptions = await rowsIn(pack, 'exceptions.csv');
        expect(
          exceptions
            .map(({ kind, organization_uuid, user_id, email, group_id, role, status }) =>
              [kind, organization_uuid, user_id, email, group_id, role, status].join('|'),
            )
            .sort(),
        ).toEqual(referenceExceptions(day, manifest, known));

        const { snapshot, completeness, files, lists, population: counts } = await evidenceIn(pack);
        expect(counts).toMatchObject({
          rows: expected.length,
          unknown: expected.filter(({ status }) => status === 'unknown').length,
        });
        expect((await filesIn(pack)).filter(({ name }) => name !== 'evidence.json')).toEqual(
          files.map(({ rows, ...file }) => file).sort((a, b) => (a.name < b.name ? -1 : 1)),
        );
        expect(lists).toHaveLength(Object.values(manifest.tables).flatMap(({ slices }) => slices).length);
        const names = streams.map(({ name }) => name).filter((name) => name !== 'api_keys');
        const needed = names.filter((name) => name !== 'organization_settings');
        const isEverythingRead =
          manifest.scope.organizations === 'all' &&
          needed.every((name) =>
            manifest.tables[name]?.slices.every(({ verdict }) => verdict === 'complete'),
          );
        const isKnown = expected.every(({ status }) => status === 'known');
        expect(completeness.is_complete).toBe(isEverythingRead && isKnown);
        for (const { rows, in_population } of completeness.lists) expect(in_population).toBe(rows);
        expect(completeness.not_read.length > 0).toBe(!isEverythingRead);
        expect(snapshot.files.length).toBe(manifest.totals.files);
        expect(await readdir(join(root.path, 'scratch', 'tmp'))).toEqual([]);
        expect((await readdir(root.path)).sort()).toEqual(['pack', 'root', 'scratch']);
      }),
      { numRuns: runs(7) },
    );
  }, 120_000);
});

describe('changes', () => {
  it('are those of the comparison with the complete day before, or with the day that was named', async () => {
    const [history] = fc.sample(madeUpHistory(4), { numRuns: 1, seed: 7 }) as [Day[]];
    await using root = await temporaryFolder();
    const storage = new LocalStorage(join(root.path, 'root'));
    for (const [i, { failing: _, asked: __, streams: ___, ...day }] of history.entries())
      await take(api, storage, { ...day, failing: [] }, { runDate: `2026-11-2${i}` });
    const scratch = join(root.path, 'scratch');
    for (const [since, from] of [
      [undefined, '2026-11-22'],
      ['2026-11-20', '2026-11-20'],
    ] as const) {
      const pack = await packOf(root.path, { out: join(root.path, from), since });
      const rows = [];
      const diff = await diffSnapshots({ storage, from, to: '2026-11-23', scratch });
      for await (const batch of diff.changes()) rows.push(...batch);
      expect(rows.length).toBeGreaterThan(0);
      const written = await rowsIn(pack, 'changes.csv');
      expect(written.map(({ stream, change, field, key }) => [stream, change, field, key])).toEqual(
        rows.map(({ stream, change, field, key }) => [stream, change, field ?? '', JSON.stringify(key)]),
      );
      expect((await evidenceIn(pack)).since).toMatchObject({ run_date: from });
    }
  });

  it('are left out, and the evidence says so, when there is no complete day before', async () => {
    await using root = await temporaryFolder();
    await take(api, new LocalStorage(join(root.path, 'root')), awkwardDay, { runDate: RUN_DATE });
    const pack = await packOf(root.path);
    expect(await readdir(pack)).not.toContain('changes.csv');
    expect(await evidenceIn(pack)).toMatchObject({
      since: null,
      not_written: [{ name: 'changes.csv', reason: 'there is no complete snapshot before this one' }],
    });
    const named = packOf(root.path, { out: join(root.path, 'other'), since: '2026-11-01' });
    await expect(named).rejects.toMatchObject({ code: 'snapshot_missing' });
  });
});

describe('a pack of awkward names', () => {
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  let pack: string;
  beforeAll(async () => {
    root = await temporaryFolder();
    await take(api, new LocalStorage(join(root.path, 'root')), awkwardDay, { runDate: RUN_DATE });
    pack = await packOf(root.path, { fileMode: 0o640 });
  });
  afterAll(async () => await root[Symbol.asyncDispose]());

  it('keeps them, but for what no cell can hold', async () => {
    const names = new Map((await rowsIn(pack, 'population.csv')).map((row) => [row.user_id, row.full_name]));
    const expected = AWKWARD.map(
      (name) =>
        name
          .replaceAll(/\r\n|\r/g, '\n')
          .replaceAll(/\p{Cs}|\uffff|(?!\n|\t)\p{Cc}/gu, '\ufffd')
          .replace(/(?<=^y{31999})y+$/, '…')
          .replace(/(?<=z{31998})😀😀$/u, '\ufffd…')
          .replace("'=", '='), // by `rowsIn`: nobody knows whether this was a guard
    );
    expect(AWKWARD.map((_, i) => names.get(`user_${i}`))).toEqual(expected);
  });

  it('names people also where they get a role that only another organisation has', async () => {
    const rows = await rowsIn(pack, 'population.csv');
    expect(
      rows.filter(({ user_id, granted_by }) => user_id === 'user_two' && granted_by === 'group'),
    ).toMatchObject([
      { membership: 'elsewhere', full_name: 'Two', organization_uuid: '', role: '=role', blanket: 'yes' },
    ]);
  });

  it('has no cell that a spreadsheet runs', async () => {
    const text = await readFile(join(pack, 'population.csv'), 'utf8');
    expect(text.startsWith('\uFEFFrow_id,')).toBe(true);
    expect(text).toContain("'=cmd()");
    expect(text).not.toMatch(/(?:^|,)"?[=+\-@]/m);
  });

  it('has the modes that were asked for', async () => {
    const modes = await Promise.all(
      (await readdir(pack)).map(async (name) => (await stat(join(pack, name))).mode & 0o777),
    );
    expect(new Set(modes)).toEqual(new Set([0o640]));
    expect((await stat(pack)).mode & 0o777).toBe(0o750);
  });

  it('has a page that runs nothing, loads nothing, and names nobody', async () => {
    const page = await readFile(join(pack, 'evidence.html'), 'utf8');
    expect(page).not.toMatch(/<script|<img|<link|<iframe|javascript:|\son\w+=|https?:\/\/(?!127\.0\.0\.1)/i);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page.toLowerCase()).not.toContain('example.com');
    const { population, files, lists } = await evidenceIn(pack);
    for (const { sha256, name } of files.filter((file) => file.name !== 'evidence.html')) {
      expect(page).toContain(name);
      expect(page).toContain(sha256);
    }
    expect(page).toContain(population.rows_sha256);
    for (const { endpoint } of lists) expect(page).toContain(endpoint);
  });

  it('fits the published schema of the evidence, which is the one that the code checks with (`-u` writes it)', async () => {
    const published = z.toJSONSchema(evidenceSchema);
    const file = join(import.meta.dirname, '../../docs/evidence.schema.json');
    await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(file);
    const ajv = new Ajv2020({ allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(JSON.parse(await readFile(file, 'utf8')));
    validate(JSON.parse(await readFile(join(pack, 'evidence.json'), 'utf8')));
    expect(validate.errors).toBeNull();
    expect(validate({})).toBe(false);
  });

  it('says what an outsider can compute from the rows alone', async () => {
    const { population } = await evidenceIn(pack);
    const all = createHash('sha256');
    for (const row of await rowsIn(pack, 'population.csv')) {
      const [number = '', digits] = (row.row_id ?? '').slice(1).split('-');
      const values = population.digest_columns.map((name) => (row[name] ?? '').trim());
      const digest = createHash('sha256')
        .update(JSON.stringify([Number(number), ...values]))
        .digest();
      expect(digest.toString('hex').slice(0, 12)).toBe(digits);
      all.update(digest);
    }
    expect(all.digest('hex')).toBe(population.rows_sha256);
  });
});

it('an organisation whose users nobody asked for may have an owner', async () => {
  await using root = await temporaryFolder();
  const day = { ...awkwardDay, streams: ['organizations'] };
  await take(api, new LocalStorage(join(root.path, 'root')), day, { runDate: RUN_DATE });
  const rows = await rowsIn(await packOf(root.path), 'exceptions.csv');
  expect(rows.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    'organization_without_owner unknown',
    'organization_without_owner unknown',
  ]);
});

it('a list that was not read makes a pack incomplete, also when it changes no row', async () => {
  await using root = await temporaryFolder();
  const day: Day = structuredClone(awkwardDay);
  day.lists[`roles/${TWO}`] = [{ id: 'rbac_role_of_nobody', name: 'of nobody' }];
  day.lists[`role_permissions/${TWO}/rbac_role_of_nobody`] = [];
  day.failing = [`role_permissions/${TWO}/rbac_role_of_nobody`];
  await take(api, new LocalStorage(join(root.path, 'root')), day, { runDate: RUN_DATE });
  const { population, completeness } = await evidenceIn(await packOf(root.path));
  expect(population.unknown).toBe(0);
  expect(completeness).toMatchObject({
    is_complete: false,
    not_read: [{ stream: 'role_permissions', parent: { organization_uuid: TWO }, reason: 'overloaded' }],
  });
});

it('a population that does not have the rows of the lists is not complete', async () => {
  await using root = await temporaryFolder();
  const manifest = await take(api, new LocalStorage(join(root.path, 'root')), awkwardDay, {
    runDate: RUN_DATE,
  });
  for (const { tables } of [manifest]) for (const table of Object.values(tables)) table.rows = 0;
  expect(completenessOf(manifest).result(0).is_complete).toBe(true);
  (manifest.tables.group_members as { rows: number }).rows = 1;
  expect(completenessOf(manifest).result(0).is_complete).toBe(false);
});

it('a snapshot that is replaced while it is read gives no pack', async () => {
  await using root = await temporaryFolder();
  const storage = new LocalStorage(join(root.path, 'root'));
  await take(api, storage, awkwardDay, { runDate: '2026-11-20' });
  await take(api, storage, awkwardDay, { runDate: RUN_DATE });
  const source = await sourceOf({ storage, runDate: RUN_DATE });
  await take(api, storage, awkwardDay, { runDate: RUN_DATE });
  const changes = changesUntil(source, { scratch: join(root.path, 'scratch') });
  await expect(changes).rejects.toMatchObject({ code: 'locked', exitCode: 75 });
});

it('every value of a page is escaped, but HTML itself', () => {
  const inner = html`<b>${'<script>"a" & \'b\''}</b>`;
  expect(html`<p title="${'">'}">${[inner, inner]}${1}</p>`.html).toBe(
    `<p title="&quot;&gt;">${'<b>&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;</b>'.repeat(2)}1</p>`,
  );
});

describe('nothing is left behind', () => {
  it.each([
    ['an export without addresses', 'Name;Department\nAda;x\n', 'email_column_missing'],
    ['an export of nobody', 'email\n', 'file_empty'],
    ['an empty export', '', 'file_empty'],
    ['an export in another encoding', Buffer.from('email\nf\xfc@example.com\n', 'latin1'), 'file_not_utf8'],
  ])('by %s', async (_, text, code) => {
    await using root = await temporaryFolder();
    await take(api, new LocalStorage(join(root.path, 'root')), awkwardDay, { runDate: RUN_DATE });
    const written = packOf(root.path, { identityProvider: csvOf(text, '--idp people.csv') });
    await expect(written).rejects.toMatchObject({ code });
    expect((await readdir(root.path)).sort()).toEqual(['root']);
  });

  it('by a file of the snapshot that was changed', async () => {
    await using root = await temporaryFolder();
    const storage = new LocalStorage(join(root.path, 'root'));
    const manifest = await take(api, storage, awkwardDay, { runDate: RUN_DATE });
    const { path = '' } = manifestFiles(manifest).find(({ table }) => table === 'users') ?? {};
    await appendFile(join(root.path, 'root', path), ' ');
    await expect(packOf(root.path)).rejects.toMatchObject({ code: 'file_differs' });
    expect((await readdir(root.path)).sort()).toEqual(['root', 'scratch']);
  });
});

describe('accounts that an identity provider does not know', () => {
  const missing = async (root: string, out: string, csv: string) => {
    const pack = await packOf(root, { out: join(root, out), identityProvider: csvOf(csv, '--idp x.csv') });
    const rows = await rowsIn(pack, 'exceptions.csv');
    const { identity_provider } = await evidenceIn(pack);
    const found = rows.filter(({ kind }) => kind === 'not_in_identity_provider');
    return { identity_provider, found: found.map(({ user_id, email, status }) => [user_id, email, status]) };
  };

  it('are those whose address, in normal form, is none of the export', async () => {
    await using root = await temporaryFolder();
    await take(api, new LocalStorage(join(root.path, 'root')), awkwardDay, { runDate: RUN_DATE });
    const addresses = AWKWARD.map((_, i) =>
      i === 8 ? 'zo\u00eb@example.com' : ` PERSON${i}@example.COM `,
    ).filter((_, i) => i !== 7);
    const text = ['Name;User Principal Name;x', ...addresses.map((address) => `"a;\nb";${address};`)].join(
      '\r\n',
    );
    expect(await missing(root.path, 'one', text)).toEqual({
      identity_provider: {
        column: 'user principal name',
        accounts: addresses.length,
        bytes: Buffer.byteLength(text),
        sha256: createHash('sha256').update(text).digest('hex'),
      },
      found: expect.toSatisfy((found: string[][]) => {
        expect(found.sort()).toEqual([
          ['user_1', 'other@example.com', 'known'],
          ['user_3', '', 'unknown'],
          ['user_4', '', 'unknown'],
          ['user_7', 'Person7@Example.com', 'known'],
          ['user_gone', 'gone@example.com', 'known'],
          ['user_two', 'two@example.com', 'known'],
        ]);
        return true;
      }),
    });
  });

  it.each(['email', 'E-Mail', 'Primary_Email', 'userName', 'login', 'mail', 'Email Address'])(
    'are looked up in a column %s',
    async (column) => {
      await using root = await temporaryFolder();
      await take(api, new LocalStorage(join(root.path, 'root')), awkwardDay, { runDate: RUN_DATE });
      const { identity_provider } = await missing(root.path, 'one', `id,${column}\n1,a@example.com\n`);
      expect(identity_provider).toMatchObject({ column: column.toLowerCase(), accounts: 1 });
    },
  );
});
