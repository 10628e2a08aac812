import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { APIError } from '../../src/client/api-errors.js';
import type { User } from '../../src/streams/users.js';
import { venv } from '../python/venv.js';
import { all, rejection, testClient } from './test-client.js';

/** The public SDK and its dependencies, as they were when this was written. */
const PEER = await venv('peer-client', [
  'claude-compliance-sdk==0.3.0',
  'httpx==0.28.1',
  'httpcore==1.0.9',
  'h11==0.16.0',
  'anyio==4.16.0',
  'idna==3.20',
  'certifi==2026.10.18',
  'typing_extensions==4.16.0',
]);
if ('missing' in PEER) console.log(`not run: the peer client: ${PEER.missing}`);

interface Job {
  ask: 'everything' | 'list' | 'page';
  url: string;
  key: string;
  organization?: string;
  parameters?: Record<string, unknown>;
}

/** What the public Python SDK saw. */
function peer<T>(job: Job): Promise<T> {
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const { python } = PEER as { python: string };
  return new Promise((resolve, reject) => {
    const child = execFile(python, [script], { maxBuffer: 2 ** 28 }, (error, stdout) => {
      if (error) reject(error);
      else resolve((JSON.parse(stdout) as [T])[0]);
    });
    child.stdin?.end(JSON.stringify([job]));
  });
}

describe.skipIf('missing' in PEER)('the public Python SDK, on the same server', () => {
  let api: FixtureApi;
  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [250, 0, 1, 100, 101] });
  });
  afterAll(() => api?.close());

  it.each(['paged', 'whole'] as const)(
    'sees the same organisations and users as our client, under the %s contract',
    async (contract) => {
      await using fixture = await startFixtureApi({ sizes: [250, 0, 1, 100, 101], contract });
      await using client = testClient(fixture);
      const organizations = await client.organizations.list();
      const users: Record<string, User[]> = {};
      for (const { uuid } of organizations)
        users[uuid] = await all(client.organizations.iterUsers(uuid, { limit: 100 }));
      const ours = fixture.requests.splice(0).map(({ path, query }) => ({ path, query }));
      expect(await peer({ ask: 'everything', url: fixture.url, key: fixture.key })).toEqual({
        organizations,
        users,
      });
      // The very same requests, too, so what we say of the API is what its own client does.
      expect(fixture.requests.map(({ path, query }) => ({ path, query }))).toEqual(ours);
    },
  );

  it('sees the same page', async () => {
    await using client = testClient(api);
    const organization = String(api.organizations()[0]?.uuid);
    const page = await client.organizations.listUsers(organization, { limit: 7 });
    const job = { ask: 'page', url: api.url, key: api.key, organization } as const;
    expect(await peer({ ...job, parameters: { limit: 7 } })).toEqual(page);
    const next = await client.organizations.listUsers(organization, { limit: 7, page: page.next_page ?? '' });
    expect(await peer({ ...job, parameters: { limit: 7, page: page.next_page } })).toEqual(next);
  });

  describe('sees the same error', () => {
    it.each<[string, (fixture: FixtureApi) => Partial<Job>]>([
      ['with a key that is not accepted', () => ({ ask: 'list', key: 'sk-ant-api01-wrong' })],
      ['for an organisation that is not there', () => ({ organization: 'nobody' })],
      ['at a wrong address', (fixture) => ({ ask: 'list', url: `${fixture.url}/wrong` })],
      [
        'for a token that is not one',
        (fixture) => ({
          organization: String(fixture.organizations()[0]?.uuid),
          parameters: { page: 'stale' },
        }),
      ],
    ])('%s', async (_, difference) => {
      await sameError(api, difference(api));
    });

    it('without the scope for users', async () => {
      await using narrow = await startFixtureApi({ sizes: [3], scopes: ['read:compliance_org_data'] });
      await sameError(narrow, { organization: String(narrow.organizations()[0]?.uuid) });
    });

    it('with more organisations than the earlier contract lists', async () => {
      await using capped = await startFixtureApi({ organizations: 1001, users: 0, contract: 'whole' });
      await sameError(capped, { ask: 'list' });
    });

    it('when the budget is spent', async () => {
      await using spent = await startFixtureApi({ sizes: [1] });
      const error = { type: 'rate_limit_error', message: 'Slow down' };
      spent.fault({
        do: {
          type: 'answer',
          status: 429,
          body: { type: 'error', error },
          headers: { 'x-should-retry': 'false' },
        },
      });
      await sameError(spent, { ask: 'list' });
    });
  });
});

async function sameError(fixture: FixtureApi, difference: Partial<Job>): Promise<void> {
  const job: Job = { ask: 'page', url: fixture.url, key: fixture.key, ...difference };
  await using client = testClient({ url: job.url, key: job.key });
  const { organization = '', parameters } = job;
  const asking =
    job.ask === 'list'
      ? client.organizations.list()
      : client.organizations.listUsers(organization, parameters);
  const ours = await rejection(asking);
  expect(ours).toBeInstanceOf(APIError);
  const { status, type, apiMessage, name } = ours;
  const theirs = await peer<{ classes: string[] }>(job);
  expect(theirs).toMatchObject({ status, type, message: apiMessage });
  expect(theirs.classes).toContain(name);
}
