import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import packageJson from '../../package.json' with { type: 'json' };
import { connectionError } from '../../src/client/connection-error.js';
import { VERSION } from '../../src/version.js';
import { createPrivateCa } from './private-ca.js';
import { all, rejection, testClient } from './test-client.js';

/** A forward proxy that only knows CONNECT, as company proxies do; `auth` is what it requires. */
async function startProxy({ auth }: { auth?: string } = {}) {
  const tunnels: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_, answer) => answer.writeHead(405).end());
  server.on('connect', (request, client: Socket) => {
    if (auth !== undefined && request.headers['proxy-authorization'] !== auth) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a server behind a company proxy with a certificate of its own', () => {
  it('is reached through the proxy, and trusted by `ca` only', async () => {
    const { ca, cert, key } = createPrivateCa();
    await using api = await startFixtureApi({ sizes: [3], tls: { cert, key } });
    await using proxy = await startProxy();
    const settings = { proxy: { httpsProxy: proxy.url } };
    await using client = testClient(api, { ...settings, ca });
    expect(await client.organizations.list()).toHaveLength(1);
    expect(proxy.tunnels).toEqual([new URL(api.url).host]);
    await using distrusting = testClient(api, settings);
    expect(await rejection(distrusting.organizations.list())).toMatchObject({
      name: 'APIConnectionError',
      code: 'certificate_not_trusted',
      exitCode: 2,
      message: expect.stringContaining('by NODE_EXTRA_CA_CERTS'),
    });
    expect(distrusting.events).toEqual([]); // it is not tried again
    expect(api.requests).toHaveLength(1);
  });

  it.each([
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ])('is a matter of configuration for every code that Node has of it: %s', (code) => {
    const request = { method: 'GET', path: '/' };
    const inner = Object.assign(new Error('x'), { code });
    const outer = Object.assign(new Error('y', { cause: inner }), { code: 'UND_ERR_PRX_TLS' });
    for (const cause of [inner, outer])
      expect(connectionError(request, cause)).toMatchObject({ code: 'certificate_not_trusted', exitCode: 2 });
    const other = Object.assign(new Error('x'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' });
    expect(connectionError(request, other)).toMatchObject({ code: 'tls_failed', exitCode: 75 });
  });

  it('is trusted by NODE_EXTRA_CA_CERTS, which Node reads when it starts', async () => {
    const { ca, cert, key } = createPrivateCa();
    await using api = await startFixtureApi({ sizes: [1, 1], tls: { cert, key } });
    await using proxy = await startProxy();
    const folder = await mkdtemp(join(tmpdir(), 'private-ca-'));
    const file = join(folder, 'ca.pem');
    await writeFile(file, ca);
    const script = fileURLToPath(new URL('list-organizations.ts', import.meta.url));
    const list = (env: Record<string, string>) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', script, api.url, api.key], {
        env: { PATH: process.env.PATH ?? '', HTTPS_PROXY: proxy.url, ...env },
      });
    const [trusting, distrusting] = await Promise.all([list({ NODE_EXTRA_CA_CERTS: file }), list({})]);
    await rm(folder, { recursive: true });
    expect(trusting.stdout).toBe('listed 2\n');
    expect(distrusting.stdout).toBe('failed certificate_not_trusted\n');
    expect(proxy.tunnels).toHaveLength(2);
  });

  it('is reached past the proxy where noProxy says so', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using proxy = await startProxy();
    const through = { httpProxy: proxy.url };
    await using direct = testClient(api, { proxy: { ...through, noProxy: 'example.com, 127.0.0.1' } });
    await direct.organizations.list();
    expect(proxy.tunnels).toHaveLength(0);
    await using proxied = testClient(api, { proxy: { ...through, noProxy: 'example.com' } });
    await proxied.organizations.list();
    expect(proxy.tunnels).toHaveLength(1);
  });

  it('is reached through a proxy without a scheme, as curl takes it', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using proxy = await startProxy();
    await using client = testClient(api, { proxy: { httpProxy: proxy.url.replace('http://', '') } });
    expect(await client.organizations.list()).toHaveLength(1);
    await using named = testClient(api, { proxy: { httpProxy: proxy.url.replace(/^.*:/, 'localhost:') } });
    expect(await named.organizations.list()).toHaveLength(1);
    expect(proxy.tunnels).toHaveLength(2);
  });

  it.each([
    'http://',
    'clerk:secret@proxy corp:8080',
    'proxy.corp:99999',
    'socks5://clerk:secret@proxy.corp:1080',
    'ftp://proxy.corp',
    'http://clerk:secret%@proxy.corp:8080',
    'http://clerk:sec/ret@proxy.corp:8080',
  ])('is not looked for through a proxy whose address makes no sense: %s', async (address) => {
    for (const proxy of [{ httpProxy: address }, { httpsProxy: address }]) {
      const opened = Promise.resolve().then(() => testClient({ url: 'http://h', key: 'k' }, { proxy }));
      const thrown = await rejection(opened);
      expect(thrown).toMatchObject({ name: 'ConfigError', code: 'proxy_invalid', exitCode: 2 });
      expect(thrown.message).toContain('httpProxy' in proxy ? '(HTTP_PROXY)' : '(HTTPS_PROXY)');
      expect(inspect(thrown, { showHidden: true, depth: 5 })).not.toMatch(/secret|sec\/ret/);
    }
  });

  it('is distinguished from a proxy that requires authentication', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    const auth = `Basic ${Buffer.from('clerk:secret').toString('base64')}`;
    await using proxy = await startProxy({ auth });
    await using client = testClient(api, { proxy: { httpProxy: proxy.url } });
    expect(await rejection(client.organizations.list())).toMatchObject({
      code: 'proxy_refused',
      exitCode: 2,
    });
    const signedIn = proxy.url.replace('://', '://clerk:secret@');
    await using known = testClient(api, { proxy: { httpProxy: signedIn } });
    expect(await known.organizations.list()).toHaveLength(1);
  });

  it('never has its proxy taken from the environment', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' });
    try {
      await using client = testClient(api, { maxRetries: 0 });
      expect(await client.organizations.list()).toHaveLength(1);
    } finally {
      process.env = before;
    }
  });
});

it('uses its connections again', async () => {
  await using api = await startFixtureApi({ sizes: [50] });
  const connections = new Set<unknown>();
  const agent = new Agent();
  agent.on('connect', (_, targets) => connections.add(targets.at(-1)));
  await using client = testClient(api, { dispatcher: agent });
  await all(client.organizations.iterUsers(String(api.organizations()[0]?.uuid), { limit: 5 }));
  expect(api.requests).toHaveLength(10);
  // undici gives a connection a turn of the event loop to rest, so a quick walk takes two by turns.
  expect(connections.size).toBeLessThanOrEqual(2);
  await client.close();
  expect(agent.closed).toBe(false); // who opens closes
  await agent.close();
});

it('keeps its connection after an answer that is no page', async () => {
  await using api = await startFixtureApi({ sizes: [5] });
  api.fault({ match: { times: 3 }, do: { type: 'answer', status: 503, body: 'x'.repeat(1000) } });
  let connections = 0;
  const agent = new Agent();
  agent.on('connect', () => {
    connections += 1;
  });
  await using client = testClient(api, { dispatcher: agent });
  await client.organizations.list();
  expect(api.requests).toHaveLength(4);
  expect(connections).toBe(1);
  await agent.close();
});

it('says who it is, and sends the key and the version as the API wants them', async () => {
  await using api = await startFixtureApi({ sizes: [1] });
  await using client = testClient(api);
  await client.organizations.list();
  expect(VERSION).toBe(packageJson.version);
  expect(api.requests[0]?.headers).toMatchObject({
    'x-api-key': api.key,
    'user-agent': `claude-compliance-connector/${VERSION}`,
    'anthropic-version': '2023-06-01',
    'accept-encoding': 'gzip, deflate, br',
    accept: 'application/json',
  });
  await using plain = testClient(api, { anthropicVersion: '' });
  await plain.organizations.list();
  expect(api.requests[1]?.headers).not.toHaveProperty('anthropic-version');
});

it('puts the path of the base URL before its own', async () => {
  await using api = await startFixtureApi({ sizes: [1] });
  api.fault({ do: { type: 'answer', status: 200, body: { data: [] } } });
  for (const suffix of ['', '/', '/gateway', '/gateway/']) {
    await using client = testClient({ url: `${api.url}${suffix}`, key: api.key });
    await client.organizations.list();
  }
  expect(api.requests.map(({ path }) => path)).toEqual([
    '/v1/compliance/organizations',
    '/v1/compliance/organizations',
    '/gateway/v1/compliance/organizations',
    '/gateway/v1/compliance/organizations',
  ]);
});

describe('compressed answers', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', Buffer.from],
  ] as [string, (text: Buffer) => Buffer][])('%s is read', async (encoding, compress) => {
    await using api = await startFixtureApi();
    const body = compress(Buffer.from('{"data":[{"uuid":"one"}]}'));
    api.fault({ do: { type: 'answer', status: 200, body, headers: { 'content-encoding': encoding } } });
    await using client = testClient(api);
    expect(await client.organizations.list()).toMatchObject([{ uuid: 'one' }]);
  });

  it('are asked for, and read as what they are', async () => {
    await using api = await startFixtureApi({ sizes: [700], gzip: true });
    await using client = testClient(api);
    const uuid = String(api.organizations()[0]?.uuid);
    expect(await all(client.organizations.iterUsers(uuid))).toHaveLength(700);
  });

  it('that nobody asked for are refused', async () => {
    await using api = await startFixtureApi();
    api.fault({ do: { type: 'answer', status: 200, body: 'x', headers: { 'content-encoding': 'zstd' } } });
    await using client = testClient(api);
    expect(await rejection(client.organizations.list())).toMatchObject({
      name: 'ProtocolError',
      code: 'unknown_encoding',
    });
  });

  it('of an error are read too', async () => {
    await using api = await startFixtureApi();
    const body = gzipSync('{"error":{"type":"invalid_request_error","message":"no"}}');
    api.fault({ do: { type: 'answer', status: 400, body, headers: { 'content-encoding': 'gzip' } } });
    await using client = testClient(api);
    expect(await rejection(client.organizations.list())).toMatchObject({ apiMessage: 'no' });
  });
});

describe('the options of a client', () => {
  it('are checked at once, and every mistake is reported, without the values', async () => {
    const wrong = {
      apiKey: 'two words',
      baseUrl: 'ftp://x',
      timeout: -1,
      budgetShare: 2,
      pageSize: 0,
      colour: 'blue',
    };
    const thrown = await rejection(
      Promise.resolve().then(() => testClient({ url: '', key: '' }, wrong as object)),
    );
    expect(thrown).toMatchObject({ name: 'ConfigError', code: 'settings_invalid', exitCode: 2 });
    for (const name of ['apiKey', 'baseUrl', 'timeout', 'budgetShare', 'pageSize', 'colour']) {
      expect(thrown.message).toContain(name);
    }
    expect(thrown.message).not.toContain('two words');
  });

  it.each(['http://user:pass@host', 'https://host/?a=1', 'https://host/#a', 'host', ''])(
    'refuse the base URL %j',
    async (baseUrl) => {
      const thrown = await rejection(Promise.resolve().then(() => testClient({ url: baseUrl, key: 'k' })));
      expect(thrown.message).toContain('baseUrl');
      expect(thrown.message).not.toContain('pass@');
    },
  );
});
