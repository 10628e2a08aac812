import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { openStorage } from '../../src/storage/index.js';
import { listing } from './contract.js';
import { motoOptions } from './servers/moto.js';
import { startProxy } from './servers/proxy.js';
import { typed } from './typed.js';

const endpoint = process.env.S3_ENDPOINT ?? '';
const DAY = '2026-11-23';
const SIZES = [0, 1, 1000, 2500];

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dump-to-s3-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('a dump to S3', () => {
  let out: string;
  beforeEach(() => {
    out = `s3://lake/${randomUUID()}`;
  });

  /** As a person types it; the key of the bucket is in the environment, where opendal finds it. */
  const run = (
    command: string,
    flags: readonly string[],
    api?: { url: string; key: string },
    at = endpoint,
  ): ReturnType<typeof typed> => {
    const bucket = ['--storage-option', `endpoint=${at}`, '--storage-option', 'region=us-east-1'];
    return typed([command, '--out', out, ...bucket, ...flags], {
      HOME: home,
      ANTHROPIC_COMPLIANCE_BASE_URL: api?.url,
      ANTHROPIC_COMPLIANCE_ACCESS_KEY: api?.key,
    });
  };

  const dump = (api: { url: string; key: string }, at = endpoint, flags: readonly string[] = []) =>
    run(
      'dump',
      ['--run-date', DAY, '--format', 'ndjson', '--progress', 'none', '--requests-per-minute', '0', ...flags],
      api,
      at,
    );

  const storage = () => openStorage(out, motoOptions(endpoint));
  const staged = () => readdir(join(home, '.local/state/claude-compliance'), { recursive: true });

  it('lands a snapshot that verifies, and leaves no staging behind', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    expect(await dump(api)).toMatchObject({ exitCode: 0 });
    expect(await run('verify', [])).toMatchObject({ exitCode: 0 });
    const keys = Object.keys(await listing(await storage(), ''));
    expect(keys.filter((key) => !key.startsWith('users/'))).toEqual([
      '_runs/dataset.json',
      '_runs/log/00000001.json',
      '_runs/probe.json',
      `_runs/run_date=${DAY}/lock/1.json`,
      `_runs/run_date=${DAY}/lock/1.released`,
      `_runs/run_date=${DAY}/manifest.json`,
      `organizations/run_date=${DAY}/part-00000.ndjson`,
    ]);
    expect(keys.filter((key) => key.startsWith('users/'))).toHaveLength(3); // the empty one has none
    expect((await staged()).filter((path) => path.endsWith('.ndjson'))).toEqual([]);
  });

  it('of a date that is there replaces it, and drops the files of organisations that have gone', async () => {
    await using first = await startFixtureApi({ sizes: SIZES });
    await dump(first);
    await using second = await startFixtureApi({ sizes: SIZES.slice(0, 3) });
    expect(await dump(second, endpoint, ['--force'])).toMatchObject({ exitCode: 0 });
    expect(await run('verify', ['--json'])).toMatchObject({ exitCode: 0 });
    const keys = Object.keys(await listing(await storage(), 'users'));
    expect(keys).toHaveLength(2);
  });

  it('that is cut off while it publishes goes on from its staging, without asking the API again', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    let left = 2;
    const refuse = ({ method, url }: { method: string; url: string }) =>
      method === 'PUT' && url.includes('/users/') && left-- <= 0;
    await using proxy = await startProxy(endpoint, { refuse });
    // The same root as later, so the same endpoint: what is refused at first is let through then.
    const cut = await dump(api, proxy.endpoint);
    expect(cut).toMatchObject({ exitCode: 2, text: expect.stringContaining('storage_denied') });
    expect(await run('verify', [])).toMatchObject({ exitCode: 1 });
    left = Number.POSITIVE_INFINITY;
    const asked = usersAsked(api);
    expect(asked).toBeGreaterThan(0);
    expect(await dump(api, proxy.endpoint)).toMatchObject({ exitCode: 0 });
    expect(usersAsked(api)).toBe(asked);
    expect(await run('verify', [])).toMatchObject({ exitCode: 0 });
  });

  it('refuses a store that ignores create-if-absent, unless it is told not to lock', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    await using proxy = await startProxy(endpoint, {
      change: ({ 'if-none-match': _condition, ...headers }) => headers,
    });
    expect(await dump(api, proxy.endpoint)).toMatchObject({
      exitCode: 2,
      text: expect.stringContaining('create_if_absent_ignored'),
    });
    expect(Object.keys(await listing(await storage(), ''))).toEqual(['_runs/probe.json']);
    expect(await dump(api, proxy.endpoint, ['--no-lock'])).toMatchObject({ exitCode: 0 });
  });

  it('says that there is no such bucket before it asks the API for users', async () => {
    await using api = await startFixtureApi({ sizes: SIZES });
    out = 's3://no-such-bucket/x';
    expect(await dump(api)).toMatchObject({
      exitCode: 2,
      text: expect.stringContaining('storage_bucket_missing'),
    });
    expect(usersAsked(api)).toBe(0);
  });
});

const usersAsked = ({ requests }: FixtureApi): number =>
  requests.filter(({ organizationUuid }) => organizationUuid !== undefined).length;
