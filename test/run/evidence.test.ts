import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { streams, VERSION } from '../../src/index.js';
import { RUN_DATE, take, temporaryFolder, uuidOf } from './support/tree.js';

const MANIFEST = `_runs/run_date=${RUN_DATE}/manifest.json`;

/** The digest of a list of users, from the pages as another client gets them. */
async function servedDigest(api: FixtureApi, uuid: string): Promise<string> {
  const hex = (text: string) => createHash('sha256').update(text).digest('hex');
  const pages: string[] = [];
  for (let token: string | null = ''; token !== null; ) {
    const query: string = token && `&page=${encodeURIComponent(token)}`;
    const url = `${api.url}/v1/compliance/organizations/${uuid}/users?limit=1000${query}`;
    const body = await (await fetch(url, { headers: { 'x-api-key': api.key } })).text();
    token = JSON.parse(body).next_page;
    pages.push(hex(token === null ? body : body.replace(JSON.stringify(token), '')));
  }
  return hex(pages.join(''));
}

describe('the evidence in a manifest', () => {
  it('says of each list what was asked, when, how often, and by which request ids', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    const { tables } = await take(api, root.path);
    const uuid = uuidOf(api, 0);
    const asked = api.requests.filter(({ organizationUuid }) => organizationUuid === uuid);
    const [slice] = tables.users?.slices ?? [];
    expect(slice).toMatchObject({
      parent: { organization_uuid: uuid },
      endpoint: `/v1/compliance/organizations/${uuid}/users`,
      parameters: { limit: '1000' },
      pages: 3,
      rows: 2500,
      duplicates: 0,
      verdict: 'complete',
      reason: null,
      first_request_id: asked[0]?.requestId,
      last_request_id: asked[2]?.requestId,
    });
    const { first_request_at: first, last_request_at: last } = slice ?? {};
    expect(Date.parse(first ?? '')).toBeLessThanOrEqual(Date.parse(last ?? ''));
    expect(tables.organizations?.slices).toMatchObject([
      { parent: {}, endpoint: '/v1/compliance/organizations', parameters: {}, pages: 1, rows: 1 },
    ]);
  });

  it('has the lists of a table in the order in which their organisations were served', async () => {
    await using api = await startFixtureApi({ sizes: [1, 2, 3, 4, 5], latency: 5 });
    await using root = await temporaryFolder();
    const { tables } = await take(api, root.path);
    const order = tables.users?.slices.map(({ parent }) => parent.organization_uuid);
    expect(order).toEqual(api.organizations().map(({ uuid }) => uuid));
  });

  it('names the columns of each table, and the program that wrote it', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const manifest = await take(api, root.path, { configuration: { concurrency: 3 } });
    for (const { name, schema } of streams.filter(({ name }) => manifest.tables[name]))
      expect(manifest.tables[name]?.columns).toEqual(schema.fields.map((field) => field.name));
    const connector = { name: 'claude-compliance-connector', version: VERSION, node: process.version };
    expect(manifest).toMatchObject({ connector, written: { action: 'publish', connector } });
    expect(manifest.configuration).toEqual({ concurrency: 3 });
  });

  it('has the same digest of two walks that were served the same, and only of those', async () => {
    await using api = await startFixtureApi({ sizes: [2500, 3, 1001] });
    await using root = await temporaryFolder();
    const digests = async (options: object) => {
      const { tables } = await take(api, root.path, options);
      return (tables.users?.slices ?? []).map(({ pages_sha256 }) => pages_sha256);
    };
    const before = await digests({});
    expect(new Set(before).size).toBe(3);
    expect(before).toEqual(await Promise.all([0, 1, 2].map((i) => servedDigest(api, uuidOf(api, i)))));
    const otherDay = { runDate: '2026-11-24', layout: 'per-date' };
    expect(await digests(otherDay)).toEqual(before);
    api.removeUser(uuidOf(api, 0), 1500);
    const [first, ...others] = await digests({ runDate: '2026-11-25' });
    expect(others).toEqual(before.slice(1));
    expect(first).toBe(await servedDigest(api, uuidOf(api, 0)));
    expect(first).not.toBe(before[0]);
  });

  it('has no digest of a list that was filtered, or whose walk had to start again', async () => {
    await using api = await startFixtureApi({ sizes: [2500, 3] });
    await using root = await temporaryFolder();
    const scoped = await take(api, root.path, { org: [uuidOf(api, 1)] });
    expect(scoped.tables.organizations?.slices[0]?.pages_sha256).toBeNull();
    expect(scoped.tables.users?.slices[0]?.pages_sha256).toBe(await servedDigest(api, uuidOf(api, 1)));
    api.fault({ match: { page: 2, times: 1 }, do: { type: 'stale-token' } });
    const { tables } = await take(api, root.path, { runDate: '2026-11-24' });
    expect(tables.users?.slices.map(({ pages_sha256 }) => pages_sha256 === null)).toEqual([true, false]);
  });

  it('counts the texts that had to be repaired', async () => {
    await using api = await startFixtureApi({ sizes: [0, AWKWARD_ROUND], awkward: true });
    await using root = await temporaryFolder();
    const broken = JSON.stringify([...api.users(uuidOf(api, 1))]).match(/\\ud[89a-f]/gi) ?? [];
    expect(broken.length).toBeGreaterThan(0);
    const { totals } = await take(api, root.path);
    expect(totals.surrogates_repaired).toBeGreaterThan(0);
    expect(await readFile(join(root.path, MANIFEST), 'utf8')).not.toMatch(/\\ud[89a-f]/i);
  });

  it('holds no key, no address and no name', async () => {
    await using api = await startFixtureApi({ sizes: [50, 60] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const text = await readFile(join(root.path, MANIFEST), 'utf8');
    expect(text).not.toContain(api.key);
    for (const { uuid, name } of api.organizations()) {
      expect(text).not.toContain(String(name));
      for (const { email, full_name, id } of api.users(String(uuid))) {
        for (const secret of [email, full_name, id]) expect(text).not.toContain(String(secret));
      }
    }
  });
});
