import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AWKWARD_ROUND, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, manifestSchema } from '../../src/index.js';
import { take, temporaryFolder } from './tree.js';

const SCHEMA_FILE = resolve(import.meta.dirname, '../../docs/manifest.schema.json');
const MANIFEST = '_runs/run_date=2026-11-23/manifest.json';

/** Checks a manifest as another program would: with the published schema and another validator. */
async function validator() {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(await readFile(SCHEMA_FILE, 'utf8')));
  return (manifest: unknown) => (validate(manifest) ? [] : (validate.errors ?? []));
}

const onDisk = async (root: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, MANIFEST), 'utf8'));
const uuidOf = (api: FixtureApi, index: number): string => String(api.organizations()[index]?.uuid);

describe('the published schema of the manifest', () => {
  it('is the one that the code checks with (`npx vitest run test/snapshot/manifest.test.ts -u` writes it)', async () => {
    // A field that came later has a default: a manifest that was written before is one, too.
    const published = z.toJSONSchema(manifestSchema, {
      override({ jsonSchema: { required, properties } }) {
        const hasDefault = (name: string): boolean => Object.hasOwn(Object(properties?.[name]), 'default');
        required?.splice(0, required.length, ...required.filter((name) => !hasDefault(name)));
      },
    });
    await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(SCHEMA_FILE);
  });

  it('fits complete and incomplete manifests, and no other shape', async () => {
    await using api = await startFixtureApi({ sizes: [0, 1200, 5], awkward: true });
    await using root = await temporaryFolder();
    const errorsOf = await validator();
    await take(api, root.path, { rowsPerFile: 1000 });
    expect(errorsOf(await onDisk(root.path))).toEqual([]);
    api.fault({ match: { organizationUuid: uuidOf(api, 1) }, do: { type: 'answer', status: 503 } });
    await take(api, root.path, { onOrgFailure: 'continue', force: true });
    const incomplete = await onDisk(root.path);
    expect(errorsOf(incomplete)).toEqual([]);
    expect(incomplete.status).toBe('incomplete');
    expect(errorsOf({ ...incomplete, status: 'done' })).not.toEqual([]);
  });
});

describe('the evidence in a manifest', () => {
  it('tells of each walk what was asked, when, how often, and by which request ids', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    const { slices, organizations } = await take(api, root.path);
    const uuid = uuidOf(api, 0);
    const asked = api.requests.filter(({ organizationUuid }) => organizationUuid === uuid);
    expect(slices[0]).toMatchObject({
      endpoint: `/v1/compliance/organizations/${uuid}/users`,
      parameters: { limit: 1000 },
      pages: 3,
      rows: 2500,
      duplicates: 0,
      verdict: 'complete',
      first_request_id: asked[0]?.requestId,
      last_request_id: asked[2]?.requestId,
    });
    const { first_request_at: first, last_request_at: last } = slices[0] ?? {};
    expect(Date.parse(first ?? '')).toBeLessThanOrEqual(Date.parse(last ?? ''));
    expect(organizations).toMatchObject({ endpoint: '/v1/compliance/organizations', pages: 1, rows: 1 });
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
