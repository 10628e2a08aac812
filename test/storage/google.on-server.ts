import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStorage } from '../../src/storage/index.js';
import { once } from '../../src/storage/storage.js';
import { bytesOf, listing, readText, stageFiles, storageContract } from './contract.js';
import { keptRootContract } from './kept-root.js';
import { fakeGcsOptions } from './servers/fake-gcs.js';
import { startProxy } from './servers/proxy.js';

const endpoint = process.env.GOOGLE_ENDPOINT ?? '';
/** With an equals sign in the prefix, which opendal writes into an address otherwise than one in a key. */
const open = (at = endpoint, prefix: string = `tenant=acme/${randomUUID()}`, bucket = 'lake') =>
  openStorage(`gs://${bucket}/${prefix}`, fakeGcsOptions(at));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'google-storage-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const stage = (files: readonly string[], text: string) =>
  stageFiles(scratch, Object.fromEntries(files.map((file) => [file, `${text} ${file}`])));

describe('a bucket on Google Cloud Storage', () => {
  storageContract(() => open());
  keptRootContract(() => open());

  it('is used from its top when no prefix is given', async () => {
    const key = `${randomUUID()}/run_date=2026-01-31/object`;
    const top = await openStorage('gs://lake', fakeGcsOptions(endpoint));
    await top.write(key, once(bytesOf('x')));
    expect(await listing(top, key.slice(0, 36))).toEqual({ [key]: 1 });
  });

  it('gives an object the same name whether it went up in parts, in one request or as a lock', async () => {
    const prefix = `tenant=acme/${randomUUID()}`;
    const storage = await open(endpoint, prefix);
    const folder = 'run_date=2026-01-31';
    await storage.write(`${folder}/small`, once(bytesOf('x')));
    await storage.write(`${folder}/large`, once(Buffer.alloc(20_000_000)));
    await storage.create(`${folder}/lock=1`, bytesOf('x'));
    const asked = await fetch(`${endpoint}/storage/v1/b/lake/o?prefix=${encodeURIComponent(`${prefix}/`)}`);
    const { items } = (await asked.json()) as { items: { name: string }[] };
    expect(items.map(({ name }) => name).sort()).toEqual([
      `${prefix}/${folder}/large`,
      `${prefix}/${folder}/lock=1`,
      `${prefix}/${folder}/small`,
    ]);
  });

  it('is listed page after page', async () => {
    const prefix = randomUUID();
    const storage = await open(endpoint, prefix);
    const files = Array.from({ length: 1001 }, (_, at) => `org=${at}/part`);
    await storage.replaceFolder('date', await stage(files, 'one'));
    await using proxy = await startProxy(endpoint);
    expect(Object.keys(await listing(await open(proxy.endpoint, prefix), 'date'))).toHaveLength(1001);
    expect(proxy.requests.map(({ url }) => url.includes('pageToken='))).toEqual([false, true]);
  });

  it('passes the probe, which later changes nothing', async () => {
    await using proxy = await startProxy(endpoint);
    const storage = await open(proxy.endpoint);
    await storage.probe?.();
    const before = proxy.requests.length;
    await storage.probe?.();
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  it.each(['before', 'after'] as const)(
    'knows its own object when the connection is cut %s it was created',
    async (when) => {
      let left = 1;
      await using proxy = await startProxy(endpoint, {
        cut: ({ method }) => (method === 'POST' && left-- > 0 ? when : undefined),
      });
      const storage = await open(proxy.endpoint);
      expect(await storage.create('lock', bytesOf('mine'))).toBe(true);
      expect(proxy.requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
      expect(await storage.create('lock', bytesOf('another'))).toBe(false);
    },
  );

  it('says that a bucket is missing, also to who lists and to who uploads in parts', async () => {
    const storage = await open(endpoint, 'x', 'no-such-bucket');
    const missing = { code: 'storage_bucket_missing', failure: 'config', exitCode: 2 };
    await expect(storage.write('object', once(bytesOf('x')))).rejects.toMatchObject(missing);
    await expect(storage.write('object', once(Buffer.alloc(20_000_000)))).rejects.toMatchObject(missing);
    await expect(listing(storage, 'folder')).rejects.toMatchObject(missing);
    await expect(storage.probe?.()).rejects.toMatchObject(missing);
  });

  it('is uploaded to in parts when an object is large, and in one request when it is not', async () => {
    await using proxy = await startProxy(endpoint);
    const storage = await open(proxy.endpoint);
    await storage.write('large', once(Buffer.alloc(30_000_000)));
    const sizes = proxy.requests.map(({ headers }) => Number(headers['content-length'] ?? 0));
    expect(proxy.requests.filter(({ url }) => url.includes('partNumber='))).toHaveLength(4);
    expect(Math.max(...sizes)).toBe(8 * 1024 * 1024);
    const before = proxy.requests.length;
    await storage.write('small', once(bytesOf('x')));
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(['POST']);
  });

  it('shows a large object as replaced, not as a mix, to who was reading it', async () => {
    const storage = await open();
    await storage.write('large', once(Buffer.alloc(20_000_000, 'a')));
    const reading = storage.read('large')[Symbol.asyncIterator]();
    await reading.next();
    await storage.write('large', once(Buffer.alloc(20_000_000, 'b')));
    const rest = async () => {
      while (!(await reading.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'storage_changed', failure: 'transient' });
  });

  it.each([1, 4, 7, 9])('converges when replaceFolder is cut off after %d changes', async (changes) => {
    const prefix = randomUUID();
    const direct = await open(endpoint, prefix);
    const old = await stage(['a', 'b', 'c', 'd', 'e'], 'old');
    await direct.replaceFolder('date', old);
    const staged = await stage(['b', 'f', 'g', 'h', 'i', 'j'], 'new');
    let left = changes;
    await using proxy = await startProxy(endpoint, {
      refuse: ({ method }) => (method === 'POST' || method === 'DELETE') && left-- <= 0,
    });
    const cut = await open(proxy.endpoint, prefix);
    await expect(cut.replaceFolder('date', staged)).rejects.toMatchObject({ code: 'storage_denied' });
    await direct.replaceFolder('date', staged);
    expect(Object.keys(await listing(direct, 'date'))).toEqual(staged.files.map((file) => `date/${file}`));
    for (const file of staged.files) expect(await readText(direct, `date/${file}`)).toBe(`new ${file}`);
  });
});
