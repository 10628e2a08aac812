import { afterEach, describe, expect, test } from 'vitest';
import {
  deepRecordBody,
  type Fault,
  type FixtureApi,
  type FixtureOptions,
  gzipBody,
  manyRecordsBody,
  repeatedBody,
  startFixtureApi,
} from '../fixtures/api/index.js';

let api: FixtureApi;
afterEach(() => api.close());

const start = async (fault?: Fault, options: FixtureOptions = { sizes: [25] }) => {
  api = await startFixtureApi(options);
  if (fault) api.fault({ match: { path: '/users' }, do: fault });
};

interface Page {
  data: { id: string }[] | null;
  has_more: boolean;
  next_page?: string | null;
}
const ask = (query = '', init: RequestInit = {}) => {
  const uuid = api.organizations()[0]?.uuid;
  const url = `${api.url}/v1/compliance/organizations/${uuid}/users?limit=10${query}`;
  return fetch(url, { ...init, headers: { 'x-api-key': api.key } });
};
const page = async (token?: string | null): Promise<Page> =>
  (await ask(token ? `&page=${encodeURIComponent(token)}` : '')).json() as Promise<Page>;
const truth = () => Array.from(api.users(api.organizations()[0]?.uuid as string), ({ id }) => id);

describe('answers', () => {
  test.each([
    {
      body: { error: { type: 'overloaded_error', message: 'Overloaded' } },
      text: /^\{"error".*Overloaded"\}\}$/,
    },
    { body: '<html>Bad gateway</html>', text: /^<html>/ },
    { body: Buffer.from('bytes'), text: /^bytes$/ },
    { text: /^$/ },
  ])('another status, body and header: $text', async ({ body, text }) => {
    await start({ type: 'answer', status: 529, headers: { 'retry-after': '7' }, ...(body && { body }) });
    const response = await ask();
    expect(response.status).toBe(529);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('request-id')).toBe(api.requests[0]?.requestId);
    expect(await response.text()).toMatch(text);
  });

  test('a changed envelope', async () => {
    await start({ type: 'envelope', change: ({ data, ...rest }) => ({ items: data, ...rest }) });
    expect(await page()).toMatchObject({ items: expect.any(Array), has_more: true });
  });

  test('no data', async () => {
    await start({ type: 'data-null' });
    expect(await page()).toMatchObject({ data: null, has_more: true });
  });

  test('a token that repeats, on the first page and on the last', async () => {
    await start({ type: 'repeated-token' });
    const first = await page();
    const again = await page(first.next_page);
    expect(again).toEqual(first);
    await api.close();
    await start();
    const second = await page((await page()).next_page);
    api.fault({ match: { page: 2 }, do: { type: 'repeated-token' } });
    expect(await page(second.next_page)).toMatchObject({ has_more: true, next_page: second.next_page });
  });

  test('tokens that go round', async () => {
    await start();
    api.fault({ match: { page: 2 }, do: { type: 'cycling-token' } });
    const first = await page();
    const last = await page((await page(first.next_page)).next_page);
    expect(last).toMatchObject({ has_more: true, next_page: first.next_page });
  });

  test('an empty page with a new token, after which nothing is missing', async () => {
    await start();
    api.fault({ match: { page: 1, times: 1 }, do: { type: 'empty-page' } });
    const ids: string[] = [];
    const sizes: (number | undefined)[] = [];
    const tokens = new Set<string | null>();
    for (let next: string | null | undefined; next !== null; ) {
      const { data, next_page = null } = await page(next);
      ids.push(...(data ?? []).map(({ id }) => id));
      sizes.push(data?.length);
      tokens.add(next_page);
      next = next_page;
    }
    expect(sizes).toEqual([10, 0, 10, 5]);
    expect(ids).toEqual(truth());
    expect(tokens.size).toBe(4);
  });

  test.each([
    { nextPage: null, served: { has_more: true, next_page: null } },
    { nextPage: '', served: { has_more: true, next_page: '' } },
    { nextPage: 'absent', served: { has_more: true } },
  ] as const)('more without a token: $nextPage', async ({ nextPage, served }) => {
    await start({ type: 'no-token', nextPage });
    const { data, ...rest } = await page();
    expect(data).toHaveLength(10);
    expect(rest).toEqual(served);
  });

  test('a token gone stale', async () => {
    await start({ type: 'stale-token' });
    const response = await ask();
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });
});

describe('delivery', () => {
  const reset = 'ECONNRESET';
  const closed = 'UND_ERR_SOCKET'; // what undici calls an end in good order that comes too early
  test.each<{ fault: Fault; code: string }>([
    { fault: { type: 'reset' }, code: reset },
    { fault: { type: 'reset', after: 'headers' }, code: reset },
    { fault: { type: 'reset', after: 100 }, code: reset },
    { fault: { type: 'cut', after: 'nothing' }, code: closed },
    { fault: { type: 'cut', after: 0 }, code: closed },
    { fault: { type: 'cut', after: 100 }, code: closed },
    { fault: { type: 'cut', after: 100, chunked: true }, code: closed },
  ])('a broken answer: $fault', async ({ fault, code }) => {
    await start(fault);
    const read = ask().then((response) => response.text());
    await expect(read).rejects.toMatchObject({ cause: { code } });
    expect(api.requests[0]).toMatchObject({ status: 200 });
    expect(api.requests[0]).not.toHaveProperty('aborted');
  });

  test.each([true, false])('a cut answer says its length, unless it is chunked: %s', async (chunked) => {
    await start({ type: 'cut', after: 100, chunked });
    const response = await ask();
    expect(response.headers.has('content-length')).toBe(!chunked);
    await expect(response.text()).rejects.toThrow();
  });

  test('what comes before a cut arrives', async () => {
    await start({ type: 'cut', after: 100 });
    const reader = (await ask()).body?.getReader();
    const chunk = await reader?.read();
    expect(chunk?.value).toHaveLength(100);
    await expect(reader?.read()).rejects.toThrow();
  });

  test.each<Extract<Fault, { type: 'hang' }>>([
    { type: 'hang' },
    { type: 'hang', after: 'headers' },
    { type: 'hang', after: 50 },
  ])('an answer that never goes on: %o', async (fault) => {
    await start(fault);
    const aborter = new AbortController();
    let begun = false;
    const read = ask('', { signal: aborter.signal }).then((response) => {
      begun = true;
      return response.text();
    });
    const ended = expect(read).rejects.toThrow(/aborted/);
    await expect.poll(() => api.requests.length).toBe(1);
    if (fault.after) await expect.poll(() => begun).toBe(true);
    aborter.abort();
    await ended;
    await expect.poll(() => api.requests[0]?.aborted).toBe(true);
  });

  test('a slow answer arrives whole, in pieces', async () => {
    await start({ type: 'drip', bytes: 500, everyMs: 1 });
    const response = await ask();
    expect(((await response.json()) as Page).data).toHaveLength(10);
  });

  test('a late answer is right, and can still break', async () => {
    await start({ type: 'delay', ms: 5 });
    api.fault({ match: { nth: 2 }, do: { type: 'answer', status: 503 } });
    expect((await page()).data).toHaveLength(10);
    expect((await ask()).status).toBe(503);
  });

  test.each([
    { what: 'the latency', options: { latency: 60_000 } },
    { what: 'a delay', fault: { type: 'delay', ms: 60_000 } },
  ] as const)('a client that goes away during $what is seen', async (given) => {
    await start('fault' in given ? given.fault : undefined, {
      sizes: [1],
      ...('options' in given && given.options),
    });
    const aborter = new AbortController();
    const ended = expect(ask('', { signal: aborter.signal })).rejects.toThrow(/aborted/);
    await expect.poll(() => api.requests.length).toBe(1);
    aborter.abort();
    await ended;
    await expect.poll(() => api.requests[0]?.aborted).toBe(true);
  });

  test('closing ends what hangs', async () => {
    await start({ type: 'hang' });
    const read = ask();
    const ended = expect(read).rejects.toThrow();
    await expect.poll(() => api.requests.length).toBe(1);
    await api.close();
    await ended;
  });
});

describe('bodies without bounds', () => {
  test('are made while they are sent, and stop when nobody reads', async () => {
    let chunks = 0;
    const body = function* () {
      for (; chunks < 100_000; chunks += 1) yield Buffer.alloc(64 * 1024, '[');
    };
    await start({ type: 'stream', body });
    const aborter = new AbortController();
    const reader = (await ask('', { signal: aborter.signal })).body?.getReader();
    await reader?.read();
    aborter.abort();
    await expect.poll(() => api.requests[0]?.aborted).toBe(true);
    expect(chunks).toBeLessThan(5000);
  });

  test.each([
    {
      what: 'one text',
      body: repeatedBody({ before: '{"data":"', text: 'é', bytes: 200_000, after: '"}' }),
      length: 100_000,
    },
    { what: 'many records', body: manyRecordsBody(2500, (n) => `{"id":"user_${n}"}`), length: 2500 },
    {
      what: 'gzip',
      body: gzipBody(manyRecordsBody(2500, (n) => `{"id":"user_${n}"}`)),
      length: 2500,
      encoding: 'gzip',
    },
  ])('$what: is the JSON it says', async ({ body, length, encoding }) => {
    await start({ type: 'stream', body, headers: encoding ? { 'content-encoding': encoding } : {} });
    expect((await page()).data).toHaveLength(length);
  });

  test('a deep record closes what it opens', async () => {
    await start({ type: 'stream', body: deepRecordBody(1000) });
    const text = await (await ask()).text();
    expect(JSON.parse(text)).toMatchObject({ has_more: false });
    expect(text.split('[')).toHaveLength(1002);
  });
});

describe('where faults fall', () => {
  const broken: Fault = { type: 'answer', status: 503 };
  const statuses = async (count: number) => {
    const seen: number[] = [];
    for (let n = 0; n < count; n += 1) seen.push((await ask()).status);
    return seen;
  };

  test('on the n-th, on the first so many, on a pattern, on an organisation', async () => {
    await start();
    const [{ uuid } = {}] = api.organizations();
    api.fault({ match: { nth: 2 }, do: broken });
    api.fault({ match: { times: 1, path: /users\?limit=10$/ }, do: { type: 'answer', status: 502 } });
    api.fault({ match: { organizationUuid: 'another' }, do: { type: 'answer', status: 500 } });
    api.fault({ match: { organizationUuid: uuid as string, nth: 4 }, do: { type: 'answer', status: 529 } });
    expect(await statuses(5)).toEqual([502, 503, 200, 529, 200]);
  });

  test('on a list, alone or together with an organisation or a page', async () => {
    await start();
    const [{ uuid } = {}] = api.organizations();
    const status = async (list: string) => {
      const url = `${api.url}/v1/compliance/organizations/${uuid}/${list}?limit=10`;
      return (await fetch(url, { headers: { 'x-api-key': api.key } })).status;
    };
    api.fault({ match: { list: 'roles', nth: 1 }, do: broken });
    api.fault({
      match: { list: 'roles', organizationUuid: uuid as string, nth: 2 },
      do: { type: 'answer', status: 502 },
    });
    api.fault({ match: { list: 'roles', page: 1 }, do: { type: 'answer', status: 500 } });
    api.fault({ match: { organizationUuid: uuid as string, nth: 4 }, do: { type: 'answer', status: 529 } });
    expect([await status('users'), await status('roles'), await status('roles')]).toEqual([200, 503, 502]);
    expect([await status('users'), await status('roles')]).toEqual([529, 200]);
    expect(api.requests.map(({ list }) => list)).toEqual(['users', 'roles', 'roles', 'users', 'roles']);
  });

  test('with a probability: by the seed and the request, in whatever order they come', async () => {
    const run = async (order: number[]) => {
      await start(undefined, { sizes: [25], seed: 7 });
      api.fault({ match: { probability: 0.3 }, do: broken });
      const seen = new Map<number, number>();
      for (const n of order) seen.set(n, (await ask(`&page=${n}`)).status);
      await api.close();
      return order.map((_, n) => seen.get(n));
    };
    const order = Array.from({ length: 60 }, (_, n) => n);
    const forth = await run(order);
    const hits = forth.filter((status) => status === 503).length;
    expect(hits).toBeGreaterThan(6);
    expect(hits).toBeLessThan(36);
    expect(await run(order.reverse())).toEqual(forth);
  });
});
