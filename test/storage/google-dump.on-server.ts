import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { openStorage } from '../../src/storage/index.js';
import { query } from '../warehouse/duckdb-file.js';
import { type AnsweringServer, startAnswering } from './answering-server.js';
import { listing } from './contract.js';
import { fakeGcsOptions } from './servers/fake-gcs.js';
import { startProxy } from './servers/proxy.js';
import { typed } from './typed.js';

const endpoint = process.env.GOOGLE_ENDPOINT ?? '';
const DAY = '2026-11-23';
/** The last is more than one part of an upload. */
const SIZES = [0, 1, 1000, 40_000];
const TOKEN = 'a token that was given in exchange';

let home: string;
let exchange: AnsweringServer;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dump-to-google-'));
  exchange = await startAnswering(() => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' }),
  }));
  process.env.GOOGLE_APPLICATION_CREDENTIALS = await credentials();
});
afterAll(async () => {
  delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
  await exchange[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** A file of workload identity federation: the one kind that may be exchanged at an address of its own. */
async function credentials(): Promise<string> {
  const subject = join(home, 'subject');
  const file = join(home, 'google.json');
  await writeFile(subject, 'who this machine is');
  const account = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/0/locations/global/workloadIdentityPools/a/providers/b',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${exchange.endpoint}/v1/token`,
    credential_source: { file: subject },
  };
  await writeFile(file, JSON.stringify(account));
  return file;
}

describe('a dump to Google Cloud Storage', () => {
  let out: string;
  beforeEach(() => {
    out = `gs://lake/${randomUUID()}`;
  });

  /** As a person types it; opendal finds the credentials in the environment. */
  const run = (
    command: readonly string[],
    api?: { url: string; key: string },
    at = endpoint,
  ): ReturnType<typeof typed> =>
    typed([...command, '--storage-option', `endpoint=${at}`], {
      HOME: home,
      ANTHROPIC_COMPLIANCE_BASE_URL: api?.url,
      ANTHROPIC_COMPLIANCE_ACCESS_KEY: api?.key,
    });

  const dump = (api: { url: string; key: string }, at = endpoint) => {
    const flags = ['--format', 'ndjson', '--progress', 'none', '--requests-per-minute', '0'];
    return run(['dump', '--out', out, '--run-date', DAY, ...flags], api, at);
  };
  const verify = () => run(['verify', '--out', out]);
  const keys = async (folder: string) =>
    Object.keys(await listing(await openStorage(out, fakeGcsOptions(endpoint)), folder));

  it('lands a snapshot that verifies and that DuckDB loads, by credentials that were exchanged', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    await using proxy = await startProxy(endpoint);
    expect(await dump(api, proxy.endpoint)).toMatchObject({ exitCode: 0 });
    expect(new Set(proxy.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    );
    expect(proxy.requests.some(({ url }) => url.includes('partNumber=2'))).toBe(true);
    expect(await verify()).toMatchObject({ exitCode: 0 });
    expect(await keys('_runs')).toEqual([
      '_runs/dataset.json',
      '_runs/log/00000001.json',
      '_runs/probe.json',
      `_runs/run_date=${DAY}/lock/1.json`,
      `_runs/run_date=${DAY}/lock/1.released`,
      `_runs/run_date=${DAY}/manifest.json`,
    ]);
    expect(await keys('users')).toHaveLength(3); // the empty one has none

    const database = join(home, 'compliance.duckdb');
    const load = ['load', 'duckdb', '--from', out, '--database', database, '--progress', 'none'];
    expect(await run(load)).toMatchObject({ exitCode: 0 });
    expect(await query(database, 'SELECT count(*)::INT AS users FROM users_current')).toEqual([
      { users: 41_001 },
    ]);
  });

  it('that is cut off while it publishes goes on from its staging, without asking the API again', async () => {
    await using api = await startFixtureApi({ sizes: [0, 1, 1000, 2500] });
    let left = 2;
    await using proxy = await startProxy(endpoint, {
      refuse: ({ method, url }) => method === 'POST' && /name=[^&]*\/users\//.test(url) && left-- <= 0,
    });
    // The same root as later, so the same endpoint: what is refused at first is let through then.
    const cut = await dump(api, proxy.endpoint);
    expect(cut).toMatchObject({ exitCode: 2, text: expect.stringContaining('storage_denied') });
    expect(cut.text).not.toMatch(/^\s+at /m);
    expect(await verify()).toMatchObject({ exitCode: 1 });
    left = Number.POSITIVE_INFINITY;
    const asked = usersAsked(api);
    expect(asked).toBeGreaterThan(0);
    expect(await dump(api, proxy.endpoint)).toMatchObject({ exitCode: 0 });
    expect(usersAsked(api)).toBe(asked);
    expect(await verify()).toMatchObject({ exitCode: 0 });
  });

  it('says that there is no such bucket before it asks the API for users', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    out = 'gs://no-such-bucket/x';
    const { exitCode, text } = await dump(api);
    expect(exitCode).toBe(2);
    expect(text).toContain('storage_bucket_missing');
    expect(text).not.toMatch(/^\s+at /m);
    expect(usersAsked(api)).toBe(0);
  });

  it('refuses to go without credentials, which would put objects under other names', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    const anonymous = ['--storage-option', 'allow_anonymous=true'];
    const { exitCode, text } = await run(['dump', '--out', out, '--run-date', DAY, ...anonymous], api);
    expect(exitCode).toBe(2);
    expect(text).toContain('gs has no option allow_anonymous');
  });
});

const usersAsked = ({ requests }: FixtureApi): number =>
  requests.filter(({ organizationUuid }) => organizationUuid !== undefined).length;
