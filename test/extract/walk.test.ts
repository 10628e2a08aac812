import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { type Fault, type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { ComplianceClient } from '../../src/extract/compliance-client.js';
import { createFingerprints } from '../../src/extract/fingerprints.js';
import { all, rejection, testClient } from '../client/test-client.js';

let api: FixtureApi;
let client: ReturnType<typeof testClient>;
let uuid: string;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [5, 250, 0] });
  client = testClient(api);
  uuid = String(api.organizations()[1]?.uuid);
});
afterEach(async () => {
  await client.close();
  await api.close();
});

const served = (organizationUuid = uuid) => [...api.users(organizationUuid)].map(({ id }) => id);
/** What events say of the list. */
const theList = () => ({ stream: 'users', parent: { organization_uuid: uuid } });
const asked = () => api.requests.map(({ page }) => page);

describe('the list of organisations', () => {
  it.each(['paged', 'whole'] as const)(
    'is complete under the %s contract, and its first call sends no parameters',
    async (contract) => {
      await using fixture = await startFixtureApi({ sizes: [1, 2, 3], contract });
      await using reader = testClient(fixture);
      const list = await reader.organizations.list();
      expect(list.map(({ uuid, name }) => ({ uuid, name }))).toEqual(
        fixture.organizations().map(({ uuid, name }) => ({ uuid, name })),
      );
      expect(fixture.requests.map(({ query }) => query)).toEqual([{}]);
      expect(await all(reader.organizations.iter())).toEqual(list);
      expect(await all(reader.organizations.stream())).toEqual(list);
    },
  );

  it('continues beyond a thousand, and under the earlier contract fails after one request', async () => {
    await using paged = await startFixtureApi({ organizations: 2100, users: 0 });
    await using reader = testClient(paged);
    expect(await reader.organizations.list()).toHaveLength(2100);
    expect(paged.requests.map(({ query }) => Object.keys(query))).toEqual([[], ['page'], ['page']]);

    await using whole = await startFixtureApi({ organizations: 1001, users: 0, contract: 'whole' });
    await using capped = testClient(whole);
    const thrown = await rejection(capped.organizations.list());
    expect(thrown).toMatchObject({
      name: 'InternalServerError',
      code: 'too_many_organizations',
      status: 500,
    });
    expect(thrown.apiMessage).toContain('1,000');
    expect(whole.requests).toHaveLength(1);
  });
});

describe('one page of users', () => {
  it('sends no limit unless it is given one, and frames the page as the API does', async () => {
    const page = await client.organizations.listUsers(uuid, { limit: 100 });
    expect(page.data.map(({ id }) => id)).toEqual(served().slice(0, 100));
    expect(page).toMatchObject({ has_more: true, next_page: expect.any(String) });
    const last = await client.organizations.listUsers(uuid, { limit: 200, page: page.next_page ?? '' });
    expect(last).toMatchObject({ has_more: false, next_page: null });
    expect(last.data.map(({ id }) => id)).toEqual(served().slice(100));
    await client.organizations.listUsers(uuid, { page: '' });
    expect(api.requests.map(({ query }) => query)).toEqual([
      { limit: '100' },
      { limit: '200', page: page.next_page },
      {},
    ]);
  });

  it.each([0, -1, 1001, 1.5, Number.NaN, '7'])(
    'is refused with a limit of %s, before anything is asked',
    async (limit) => {
      const wrong = { limit: limit as number };
      expect(await rejection(client.organizations.listUsers(uuid, wrong))).toMatchObject({
        name: 'ConfigError',
        code: 'invalid_limit',
      });
      expect(await rejection(all(client.organizations.iterUsers(uuid, wrong)))).toMatchObject({
        code: 'invalid_limit',
      });
      expect(await rejection(all(client.organizations.streamUsers(uuid, wrong)))).toMatchObject({
        code: 'invalid_limit',
      });
      expect(api.requests).toHaveLength(0);
    },
  );
});

it('walks every user of an organisation once, in the order served, by page size', async () => {
  expect((await all(client.organizations.iterUsers(uuid, { limit: 100 }))).map(({ id }) => id)).toEqual(
    served(),
  );
  expect(api.requests.map(({ limit }) => limit)).toEqual([100, 100, 100]);
  await using small = testClient(api, { pageSize: 7 });
  expect(await all(small.organizations.iterUsers(uuid))).toHaveLength(250);
  expect(api.requests.at(-1)?.limit).toBe(7);
});

it('takes a page to start from in `pages` and `listUsers` only', () => {
  type Api = ComplianceClient['organizations'];
  expectTypeOf<NonNullable<Parameters<Api['listUsers']>[1]>>().toHaveProperty('page');
  expectTypeOf<NonNullable<Parameters<Api['pages']>[1]>>().toHaveProperty('from');
  expectTypeOf<NonNullable<Parameters<Api['iterUsers']>[1]>>().not.toHaveProperty('page');
  expectTypeOf<NonNullable<Parameters<Api['iterUsers']>[1]>>().not.toHaveProperty('from');
  // @ts-expect-error a walk has no page to start from
  void (() => client.organizations.iterUsers(uuid, { page: 'token' }));
});

describe('ids of organisations never change the path that is asked for', () => {
  it.each([
    'a/b',
    '..',
    '../organizations',
    'a?limit=1',
    'a#b',
    '%2f',
    'a%2fb',
    'a\0b',
    'a b',
    '',
    '.',
    'ü',
    'x'.repeat(10_000),
  ])('%j', async (id) => {
    for (const ask of [
      () => client.organizations.listUsers(id),
      () => all(client.organizations.iterUsers(id)),
      () => all(client.organizations.pages(id)),
    ]) {
      expect(await rejection(ask())).toMatchObject({ name: 'ConfigError', code: 'invalid_parent_id' });
    }
    expect(api.requests).toHaveLength(0);
  });

  it('upper case is sent as it is', async () => {
    await rejection(client.organizations.listUsers(uuid.toUpperCase()));
    expect(api.requests[0]?.path).toBe(`/v1/compliance/organizations/${uuid.toUpperCase()}/users`);
  });
});

describe('a list that cannot be trusted is an error and not an end', () => {
  const envelope = (change: object): Fault => ({
    type: 'envelope',
    change: (page) => ({ ...page, ...change }),
  });
  it.each<[string, Fault, string]>([
    ['a repeated token', { type: 'repeated-token' }, 'token_repeated'],
    ['more, without a token', { type: 'no-token' }, 'next_page_missing'],
    ['more, with an empty token', { type: 'no-token', nextPage: '' }, 'next_page_missing'],
    ['no more, and a token for more', envelope({ has_more: false }), 'next_page_unexpected'],
    ['more, with the token left out', { type: 'no-token', nextPage: 'absent' }, 'next_page_missing'],
    ['a token that is a number', envelope({ next_page: 7 }), 'next_page_not_text'],
    ['null instead of data', { type: 'data-null' }, 'data_missing'],
    ['no data', { type: 'envelope', change: ({ data, ...rest }) => rest }, 'data_missing'],
    ['data that is no list', envelope({ data: {} }), 'data_not_a_list'],
    ['a record that is a text', envelope({ data: ['user_1'] }), 'record_not_an_object'],
    ['a record without an id', envelope({ data: [{ full_name: 'A' }] }), 'record_without_key'],
    ['an id that is a number', envelope({ data: [{ id: 7 }] }), 'record_without_key'],
    ['an empty id', envelope({ data: [{ id: '' }] }), 'record_without_key'],
    ['another envelope', { type: 'answer', status: 200, body: { users: [] } }, 'data_missing'],
    [
      'an error with status 200',
      { type: 'answer', status: 200, body: { type: 'error', error: { message: 'x' } } },
      'data_missing',
    ],
  ])('%s', async (_, fault, code) => {
    api.fault({ match: { page: 1 }, do: fault });
    const seen: string[] = [];
    const walking = (async () => {
      for await (const { id } of client.organizations.iterUsers(uuid, { limit: 100 })) seen.push(id);
    })();
    const thrown = await rejection(walking);
    expect(thrown).toMatchObject({
      name: 'ProtocolError',
      code,
      path: `/v1/compliance/organizations/${uuid}/users`,
    });
    expect(thrown.message).toContain(String(thrown.requestId));
    expect(asked()).toEqual([0, 1]);
    expect(seen).toEqual(served().slice(0, 100)); // nothing of the bad page
  });

  it('tokens that go in a circle', async () => {
    api.fault({ match: { page: 2 }, do: { type: 'cycling-token' } });
    expect(await rejection(all(client.organizations.iterUsers(uuid, { limit: 100 })))).toMatchObject({
      code: 'token_repeated',
    });
    expect(asked()).toEqual([0, 1, 2]);
  });

  it('pages without end, with a new token each and nothing new on them', async () => {
    let served = 0;
    const server = createServer((_, answer) => {
      served += 1;
      answer.end(`{"data":[{"id":"user_1"}],"has_more":true,"next_page":"token ${served}"}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await using endless = testClient({ url: `http://127.0.0.1:${port}`, key: 'k' });
    expect(await rejection(all(endless.organizations.iterUsers(uuid)))).toMatchObject({
      code: 'walk_endless',
    });
    expect(served).toBe(502);
    server.close();
  });
});

describe('a list that is longer than it may be', () => {
  it('is an error that names it and what to raise, before the next page is requested', async () => {
    await using strict = testClient(api, { maxListLength: 150 });
    const thrown = await rejection(all(strict.organizations.iterUsers(uuid, { limit: 100 })));
    expect(thrown).toMatchObject({ name: 'ProtocolError', code: 'list_too_long', exitCode: 1 });
    expect(thrown.message).toContain(`/v1/compliance/organizations/${uuid}/users`);
    expect(thrown.message).toContain('more than 150 records');
    expect(thrown.message).toContain('--max-list-length');
    expect(asked()).toEqual([0, 1]);
  });

  it('ends a walk that another process began at the same length', async () => {
    const seen = createFingerprints();
    await using strict = testClient(api, { maxListLength: 249 });
    let from: string | null = null;
    for await (const { next } of strict.organizations.pages(uuid, { limit: 100, seen })) {
      from = next;
      break;
    }
    const rest = strict.organizations.pages(uuid, { limit: 100, seen, from: String(from) });
    expect(await rejection(all(rest))).toMatchObject({ code: 'list_too_long' });
  });

  it('is none where it is exactly as long, also where records are served twice', async () => {
    api.repeat(uuid, 42);
    await using strict = testClient(api, { maxListLength: 250 });
    expect(await all(strict.organizations.iterUsers(uuid, { limit: 100 }))).toHaveLength(250);
  });

  it('never ends: it is read until then, and no further', async () => {
    let served = 0;
    const server = createServer((_, answer) => {
      served += 1;
      const data = Array.from({ length: 1000 }, (_, n) => ({ id: `user_${served}_${n}` }));
      answer.end(JSON.stringify({ data, has_more: true, next_page: `t${served}` }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await using lost = testClient({ url: `http://127.0.0.1:${port}`, key: 'k' }, { maxListLength: 20_000 });
    expect(await rejection(all(lost.organizations.iterUsers(uuid)))).toMatchObject({ code: 'list_too_long' });
    expect(served).toBe(21);
    await lost.close();
    server.close();
  });
});

it('continues after an empty page with a new token', async () => {
  api.fault({ match: { page: 1, times: 1 }, do: { type: 'empty-page' } });
  expect((await all(client.organizations.iterUsers(uuid, { limit: 100 }))).map(({ id }) => id)).toEqual(
    served(),
  );
});

it('drops users that are served twice, counts them and reports it', async () => {
  api.repeat(uuid, 42);
  api.repeat(uuid, 43);
  const pages = await all(client.organizations.pages(uuid, { limit: 100 }));
  expect(pages.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(served());
  expect(pages.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(2);
  expect(client.events).toContainEqual({ type: 'duplicates', ...theList(), dropped: 2, differing: 0 });
});

describe('a record that is served again', () => {
  /** Serves the record that the second page repeats as another one. */
  const change = (changed: object) =>
    api.fault({
      match: { page: 1 },
      do: {
        type: 'envelope',
        change({ data, ...page }) {
          const [first, ...rest] = data as object[];
          return { ...page, data: [{ ...first, ...changed }, ...rest] };
        },
      },
    });
  const walked = () => all(client.organizations.pages(uuid, { limit: 100 }));
  beforeEach(() => api.repeat(uuid, 42));

  it.each<[string, object]>([
    ['another name', { full_name: 'Another Name' }],
    ['no name', { full_name: null }],
    ['an empty name', { full_name: '' }],
    ['an unknown field', { seat: 'standard' }],
    ['a value of another type', { full_name: 7 }],
  ])('with %s is dropped, and the difference is counted and reported', async (_, changed) => {
    const [{ full_name: first } = {}] = [...api.users(uuid)].slice(42, 43);
    change(changed);
    const pages = await walked();
    const records = pages.flatMap(({ records }) => records);
    expect(records.map(({ id }) => id)).toEqual(served());
    expect(records[42]?.full_name).toBe(first);
    expect(pages.map(({ duplicates, differing }) => [duplicates, differing])).toEqual([
      [0, 0],
      [1, 1],
      [0, 0],
    ]);
    expect(client.events).toContainEqual({ type: 'duplicates', ...theList(), dropped: 1, differing: 1 });
  });

  it('is the same in any order of its fields, with escapes or without, and where null is left out', async () => {
    const user = { id: 'user_1', email: null, full_name: 'Zoë 漢字', role: null, seat: { a: ['ü'] } };
    const { email: _, ...withoutNull } = Object.fromEntries(Object.entries(user).reverse());
    const pages = [user, { ...user, id: 'user_2', full_name: '\\' }, withoutNull].map(
      (record, i, records) => ({
        data: i === 1 ? [user, record] : [record],
        has_more: i + 1 < records.length,
        next_page: i + 1 < records.length ? `t${i}` : null,
      }),
    );
    for (const [page, body] of pages.entries())
      api.fault({ match: { nth: page + 1 }, do: { type: 'answer', status: 200, body: body as never } });
    const read = await walked();
    expect(read.map(({ duplicates, differing }) => [duplicates, differing])).toEqual([
      [0, 0],
      [1, 0],
      [1, 0],
    ]);
  });

  it('differently after the walk started again is counted as well', async () => {
    change({ full_name: 'Another Name' });
    api.fault({ match: { page: 2, times: 1 }, do: { type: 'stale-token' } });
    api.fault({
      match: { page: 0, nth: 2 },
      do: {
        type: 'envelope',
        change: ({ data, ...page }) => ({
          ...page,
          data: (data as object[]).map((user) => ({ ...user, full_name: 'Renamed' })),
        }),
      },
    });
    const pages = await walked();
    expect(pages.map(({ restarted, differing }) => [restarted ?? false, differing])).toEqual([
      [false, 0],
      [false, 1],
      [true, 100],
      [true, 1],
      [true, 0],
    ]);
  });
});

describe('a token that goes stale in the middle of a walk', () => {
  it('starts the walk again, once, and returns nothing twice', async () => {
    api.fault({ match: { page: 2, times: 1 }, do: { type: 'stale-token' } });
    const pages = await all(client.organizations.pages(uuid, { limit: 100 }));
    expect(pages.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(served());
    expect(asked()).toEqual([0, 1, 2, 0, 1, 2]);
    expect(pages.map(({ restarted }) => restarted ?? false)).toEqual([false, false, true, true, true]);
    expect(client.events).toContainEqual({ type: 'walk-restarted', ...theList() });
    expect(client.events.filter(({ type }) => type === 'duplicates')).toEqual([]);
  });

  it('is an error when it happens again', async () => {
    api.fault({ match: { page: 2 }, do: { type: 'stale-token' } });
    const thrown = await rejection(all(client.organizations.iterUsers(uuid, { limit: 100 })));
    expect(thrown).toMatchObject({
      name: 'BadRequestError',
      code: 'stale_token',
      status: 400,
      exitCode: 75,
      type: 'invalid_request_error',
    });
    expect(thrown.apiMessage).toBeTypeOf('string');
  });

  it('leaves a 400 to the first page what it is', async () => {
    api.fault({ do: { type: 'stale-token' } });
    expect(await rejection(all(client.organizations.iterUsers(uuid)))).toMatchObject({
      code: 'bad_request',
      exitCode: 2,
    });
  });
});

describe('a walk that another process began', () => {
  it('is resumed from its token, and each page has the token that continues after it', async () => {
    const first: string[] = [];
    const seen = createFingerprints();
    let from: string | null = null;
    for await (const page of client.organizations.pages(uuid, { limit: 100, seen })) {
      first.push(...page.records.map(({ id }) => id));
      from = page.next;
      break;
    }
    api.repeat(uuid, 99); // served again on the next page: only a walk that knows the first page notices
    const resumed = { limit: 100, from: String(from), seen: createFingerprints(seen.toBytes()) };
    const rest = await all(client.organizations.pages(uuid, resumed));
    expect([...first, ...rest.flatMap(({ records }) => records.map(({ id }) => id))]).toEqual(served());
    expect(rest.map(({ next }) => next === null)).toEqual([false, true]);
    expect(rest[0]).toMatchObject({
      duplicates: 1,
      bytes: expect.any(Number),
      requestedAt: expect.any(Number),
    });
    expect(rest.map(({ requestId }) => requestId)).toEqual(
      api.requests.slice(1).map(({ requestId }) => requestId),
    );
  });

  it.each([0, 1])(
    'is not started again when a token is stale: its first records are not known here',
    async (page) => {
      const { next_page } = await client.organizations.listUsers(uuid, { limit: 100 });
      api.fault({ match: { page: page + 1 }, do: { type: 'stale-token' } });
      const resumed = client.organizations.pages(uuid, { limit: 100, from: next_page ?? '' });
      expect(await rejection(all(resumed))).toMatchObject({ name: 'BadRequestError', code: 'stale_token' });
      expect(asked()).toEqual(page === 0 ? [0, 1] : [0, 1, 2]);
    },
  );
});

describe('an organisation that answers 404', () => {
  it('is gone when it is not listed any more', async () => {
    api.unlink(uuid);
    const thrown = await rejection(all(client.organizations.iterUsers(uuid)));
    expect(thrown).toMatchObject({ name: 'NotFoundError', code: 'parent_gone', status: 404 });
    expect(api.requests.map(({ path }) => path.endsWith('/users'))).toEqual([true, false]);
  });

  it('has failed when it is listed all the same', async () => {
    const body = { error: { type: 'not_found_error', message: `Organization ${uuid} not found` } };
    api.fault({ match: { organizationUuid: uuid }, do: { type: 'answer', status: 404, body } });
    expect(await rejection(all(client.organizations.iterUsers(uuid)))).toMatchObject({
      code: 'parent_not_found',
      exitCode: 1,
    });
    expect(api.requests).toHaveLength(2);
  });

  it('is not called gone when the list cannot be read', async () => {
    api.unlink(uuid);
    api.fault({ match: { path: /organizations$/ }, do: { type: 'answer', status: 403 } });
    expect(await rejection(all(client.organizations.iterUsers(uuid)))).toMatchObject({
      code: 'parent_not_found',
    });
  });

  it('is given up at once when its signal aborts while the list is read', async () => {
    api.unlink(uuid);
    api.fault({ match: { path: /organizations$/ }, do: { type: 'hang' } });
    const controller = new AbortController();
    await using patient = testClient(api, { clock: undefined });
    const walking = rejection(all(patient.organizations.iterUsers(uuid, { signal: controller.signal })));
    await expect.poll(() => api.requests.length).toBe(2);
    controller.abort();
    expect(await walking).toMatchObject({ name: 'AbortedError', code: 'aborted' });
  });

  it('shares the list with others that vanish with it', async () => {
    await using many = await startFixtureApi({ sizes: Array(20).fill(1) });
    await using reader = testClient(many);
    const uuids = many.organizations().map(({ uuid }) => String(uuid));
    for (const gone of uuids) many.unlink(gone);
    const codes = await Promise.all(
      uuids.map((gone) => rejection(all(reader.organizations.iterUsers(gone)))),
    );
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set(['parent_gone']));
    expect(many.requests.filter(({ path }) => path.endsWith('/organizations')).length).toBeLessThan(10);
  });

  it('without a name is a matter of configuration, and no list is read', async () => {
    api.fault({
      do: { type: 'answer', status: 404, body: { error: { type: 'not_found_error', message: 'Not found' } } },
    });
    expect(await rejection(all(client.organizations.iterUsers(uuid)))).toMatchObject({
      code: 'not_found',
      exitCode: 2,
    });
    expect(api.requests).toHaveLength(1);
  });
});
