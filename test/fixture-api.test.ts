import { afterEach, describe, expect, test } from 'vitest';
import {
  AWKWARD_ROUND,
  type FixtureApi,
  type FixtureOptions,
  type ServedJson,
  startFixtureApi,
} from '../fixtures/api/index.js';

const ORGANIZATIONS = '/v1/compliance/organizations';
let api: FixtureApi;
afterEach(() => api.close());

const start = async (options?: FixtureOptions) => {
  api = await startFixtureApi(options);
};
const get = (target: string, init: RequestInit = {}) =>
  fetch(api.url + target, { ...init, headers: { 'x-api-key': api.key, ...init.headers } });
const usersOf = (uuid: unknown, query = '') => `${ORGANIZATIONS}/${uuid}/users${query}`;
const uuidOf = (n: number) => api.organizations()[n]?.uuid as string;

/** Every record of a list, page by page, as a plain client reads it. */
async function walk(target: string, limit?: number): Promise<{ records: ServedJson[]; sizes: number[] }> {
  const records: ServedJson[] = [];
  const sizes: number[] = [];
  let page: string | null = null;
  do {
    const query = new URLSearchParams();
    if (limit) query.set('limit', String(limit));
    if (page) query.set('page', page);
    const response = await get(`${target}?${query}`);
    const body = (await response.json()) as {
      data: ServedJson[];
      next_page: string | null;
      has_more: boolean;
    };
    records.push(...body.data);
    sizes.push(body.data.length);
    expect(body.has_more).toBe(body.next_page !== null);
    page = body.next_page;
  } while (page);
  return { records, sizes };
}

describe('what is served', () => {
  test('a walk sees the ground truth, in its order, whatever the size', async () => {
    await start({ sizes: [0, 1, 499, 500, 501, 2300] });
    for (const { uuid } of api.organizations()) {
      const { records } = await walk(usersOf(uuid));
      expect(records).toEqual([...api.users(uuid as string)]);
      expect(records).toHaveLength(api.userCount(uuid as string));
    }
    expect((await walk(ORGANIZATIONS, 4)).records).toEqual(api.organizations());
  });

  test.each([
    { size: 0, sizes: [0] },
    { size: 1, sizes: [1] },
    { size: 500, sizes: [500] },
    { size: 501, sizes: [500, 1] },
    { size: 1000, limit: 1000, sizes: [1000] },
    { size: 1001, limit: 1000, sizes: [1000, 1] },
    { size: 3, limit: 1, sizes: [1, 1, 1] },
  ])('$size users at limit $limit come in pages of $sizes', async ({ size, limit, sizes }) => {
    await start({ sizes: [size] });
    expect((await walk(usersOf(uuidOf(0)), limit)).sizes).toEqual(sizes);
  });

  test('awkward records arrive as the ground truth has them, and every one is there', async () => {
    await start({ sizes: [AWKWARD_ROUND, 4, 4, 4, 4], awkward: true });
    const { records } = await walk(usersOf(uuidOf(0)), 100);
    expect(records).toEqual([...api.users(uuidOf(0))]);
    expect((await walk(ORGANIZATIONS)).records).toEqual(api.organizations());

    const names = records.map((record) => record.full_name);
    expect(names).toContain('lone high \ud83d surrogate');
    expect(names).toContain("=cmd|'/c calc'!A0");
    expect(names).toContain('NUL\u0000inside');
    expect(names).toContain(42);
    expect(names.some((name) => typeof name === 'string' && name.length > 90_000)).toBe(true);
    expect(records.some((record) => !Object.hasOwn(record, 'full_name'))).toBe(true);
    expect(records.some((record) => Object.hasOwn(record, '__proto__'))).toBe(true);
    expect(records.some((record) => Object.is(record.minus_zero, -0))).toBe(true);
    expect(records.map((record) => record.created_at)).toContain('2016-12-31T23:59:60Z');
    expect(api.organizations().some((organization) => !Object.hasOwn(organization, 'name'))).toBe(true);
  });

  test('ids never repeat within an organisation, and some people are members of two', async () => {
    await start({ sizes: [20_000, 20_000] });
    const [first, second] = [0, 1].map((n) => new Set(Array.from(api.users(uuidOf(n)), (user) => user.id)));
    expect(first?.size).toBe(20_000);
    expect(second?.size).toBe(20_000);
    const both = Array.from(second ?? []).filter((id) => first?.has(id));
    expect(both).toHaveLength(500);
    expect(both[0]).toMatch(/^user_01[0-9A-Za-z]{24}$/);
  });

  test('the same seed gives the same data, another one other data', async () => {
    const data = async (seed: number) => {
      await using fixture = await startFixtureApi({ seed, awkward: true, users: 400 });
      const organizations = fixture.organizations();
      return JSON.stringify([
        organizations,
        organizations.map(({ uuid }) => [...fixture.users(uuid as string)]),
      ]);
    };
    await start();
    const [one, again, two] = [await data(1), await data(1), await data(2)];
    expect(again).toBe(one);
    expect(two).not.toBe(one);
  });

  test('users are shared out unevenly, and the sum is what was asked for', async () => {
    await start({ organizations: 25, users: 20_000 });
    const counts = api.organizations().map(({ uuid }) => api.userCount(uuid as string));
    expect(counts).toHaveLength(25);
    expect(counts.reduce((sum, count) => sum + count)).toBe(20_000);
    expect(counts).toContain(0);
    expect(counts).toContain(1);
    expect(Math.max(...counts)).toBeGreaterThan(4000);
  });

  test('a million users are known at once and made one by one', async () => {
    await start({ sizes: [1_000_000] });
    expect(api.userCount(uuidOf(0))).toBe(1_000_000);
    const [first] = api.users(uuidOf(0));
    expect(first?.organization_role).toBe('primary_owner');
  });

  test('answers are compressed for those who accept it, and only then', async () => {
    await start({ gzip: true });
    const packed = await get(ORGANIZATIONS, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(await packed.json()).toMatchObject({ data: api.organizations() });
    const plain = await get(ORGANIZATIONS, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
  });
});

describe('the contract that knows no pages', () => {
  test('lists every organisation in an envelope of `data` alone', async () => {
    await start({ contract: 'whole', organizations: 1000, users: 0 });
    const body = await (await get(ORGANIZATIONS)).json();
    expect(body).toEqual({ data: api.organizations() });
  });

  test('ends in the error of the cap above 1,000, which the other contract does not', async () => {
    await start({ contract: 'whole', organizations: 1001, users: 0 });
    const response = await get(ORGANIZATIONS);
    expect(response.status).toBe(500);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await response.json()).toMatchObject({
      error: {
        type: 'api_error',
        message: expect.stringContaining('Response exceeds maximum of 1,000 organizations'),
      },
    });
    await api.close();
    await start({ organizations: 1001, users: 0 });
    expect((await walk(ORGANIZATIONS)).sizes).toEqual([1000, 1]);
  });

  test.each(['limit=10', 'page=x', 'expand=1'])('refuses ?%s', async (query) => {
    await start({ contract: 'whole' });
    const response = await get(`${ORGANIZATIONS}?${query}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(query.split('=')[0]);
  });
});

describe('refusals', () => {
  const cases: {
    what: string;
    target: () => string;
    init?: RequestInit;
    status: number;
    type: string;
    says: string;
  }[] = [
    ...['0', '1001', '-1', '1.5', 'ten', '', '1e2', '%2010'].map((limit) => ({
      what: `limit=${limit}`,
      target: () => usersOf(uuidOf(0), `?limit=${limit}`),
      status: 400,
      type: 'invalid_request_error',
      says: 'limit',
    })),
    {
      what: 'an unknown parameter',
      target: () => `${ORGANIZATIONS}?order=desc`,
      status: 400,
      type: 'invalid_request_error',
      says: 'order',
    },
    {
      what: 'a parameter given twice',
      target: () => `${ORGANIZATIONS}?limit=1&limit=2`,
      status: 400,
      type: 'invalid_request_error',
      says: 'limit',
    },
    {
      what: 'a token that was never given',
      target: () => usersOf(uuidOf(0), '?page=abc'),
      status: 400,
      type: 'invalid_request_error',
      says: 'page',
    },
    {
      what: 'an empty token',
      target: () => usersOf(uuidOf(0), '?page='),
      status: 400,
      type: 'invalid_request_error',
      says: 'page',
    },
    {
      what: 'an unknown path',
      target: () => '/v1/compliance/projects',
      status: 404,
      type: 'not_found_error',
      says: 'Not found',
    },
    {
      what: 'a slash too many',
      target: () => `${ORGANIZATIONS}/`,
      status: 404,
      type: 'not_found_error',
      says: 'Not found',
    },
    {
      what: 'a wrong percent sign',
      target: () => usersOf('%E0%A4%A'),
      status: 404,
      type: 'not_found_error',
      says: 'Not found',
    },
    {
      what: 'an unknown organisation',
      target: () => usersOf('00000000-0000-4000-8000-000000000000'),
      status: 404,
      type: 'not_found_error',
      says: '00000000-0000-4000-8000-000000000000',
    },
    {
      what: 'an organisation in upper case',
      target: () => usersOf(uuidOf(0).toUpperCase()),
      status: 404,
      type: 'not_found_error',
      says: 'organization does not exist',
    },
    {
      what: 'a path in the place of an id',
      target: () => usersOf(`${uuidOf(0)}%2F..%2F${uuidOf(1)}`),
      status: 404,
      type: 'not_found_error',
      says: 'organization does not exist',
    },
    {
      what: 'another method',
      target: () => ORGANIZATIONS,
      init: { method: 'POST' },
      status: 405,
      type: 'invalid_request_error',
      says: 'Method',
    },
  ];
  test.each(cases)('$what is answered with $status', async ({ target, init, status, type, says }) => {
    await start();
    const response = await get(target(), init);
    expect(response.status).toBe(status);
    const body = (await response.json()) as { error: { type: string; message: string }; request_id: string };
    expect(body.error.type).toBe(type);
    expect(body.error.message).toContain(says);
    expect(body.request_id).toBe(response.headers.get('request-id'));
    expect(api.requests[0]?.status).toBe(status);
  });

  test('a token must be encoded', async () => {
    await start({ sizes: [600] });
    const { next_page } = (await (await get(usersOf(uuidOf(0)))).json()) as { next_page: string };
    expect((await get(usersOf(uuidOf(0), `?page=${encodeURIComponent(next_page)}`))).status).toBe(200);
    expect(next_page).toMatch(/[+/=]/);
  });
});

describe('what changes while it is read', () => {
  const firstPage = async () =>
    (await (await get(usersOf(uuidOf(0), '?limit=10'))).json()) as { data: ServedJson[]; next_page: string };
  const pageAfter = async (token: string) =>
    (await (await get(usersOf(uuidOf(0), `?limit=10&page=${encodeURIComponent(token)}`))).json()) as {
      data: ServedJson[];
    };

  test('an unlinked organisation is not listed, and its users are gone', async () => {
    await start();
    const uuid = uuidOf(1);
    api.unlink(uuid);
    expect((await walk(ORGANIZATIONS)).records.map((record) => record.uuid)).not.toContain(uuid);
    const response = await get(usersOf(uuid));
    expect(response.status).toBe(404);
    expect(await response.text()).toContain(uuid);
  });

  test('a repeated user comes once more on the next page, and nobody is left out', async () => {
    await start({ sizes: [30] });
    const truth = Array.from(api.users(uuidOf(0)), (user) => user.id);
    api.repeat(uuidOf(0), 9);
    const ids = (await walk(usersOf(uuidOf(0)), 10)).records.map((record) => record.id);
    expect(ids).toEqual([...truth.slice(0, 10), truth[9], ...truth.slice(10)]);
  });

  test('a user who leaves makes a walk miss one; one who joins early makes it see one twice', async () => {
    await start({ sizes: [30] });
    const truth = Array.from(api.users(uuidOf(0)), (user) => user.id);
    const before = await firstPage();
    api.removeUser(uuidOf(0), 0);
    expect((await pageAfter(before.next_page)).data[0]?.id).toBe(truth[11]);
    api.insertUser(uuidOf(0), 0);
    api.insertUser(uuidOf(0), 0);
    expect((await pageAfter(before.next_page)).data[0]?.id).toBe(truth[9]);
    expect(api.userCount(uuidOf(0))).toBe(31);
  });
});

test('the log has each request as it came', async () => {
  await start({ sizes: [30] });
  const target = usersOf(`${uuidOf(0)}`, '?limit=20');
  const { next_page } = (await (await get(target)).json()) as { next_page: string };
  await get(`${target}&page=${encodeURIComponent(next_page)}`);
  await get(usersOf('a%2Fb'));
  expect(api.requests).toMatchObject([
    { method: 'GET', path: usersOf(uuidOf(0)), status: 200, organizationUuid: uuidOf(0), page: 0, limit: 20 },
    { list: 'users', page: 1, query: { limit: '20', page: next_page }, headers: { 'x-api-key': api.key } },
    { path: usersOf('a%2Fb'), organizationUuid: 'a/b', status: 404 },
  ]);
  await get('/v1/compliance/nothing');
  expect(api.requests.pop()).not.toHaveProperty('list');
  expect(new Set(api.requests.map(({ requestId }) => requestId)).size).toBe(3);
});
